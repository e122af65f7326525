"""The child process that reads files of weights with libraries that may crash on them.

libhdf5 crashes and loops on damaged files; safetensors maps the file, which ends the process if it
is cut short meanwhile; TensorFlow reads checkpoints in C++. Requests come as lines of JSON on
standard input, each {"file": path, "kind": "hdf5" | "safetensors" | "saved_model" |
"saved_model_graph" | "checkpoint", "member": name in a ZIP or null, "stamp": of the file,
"size": bytes of all its parts} with

    "do": "list"    -> what ``listing`` gives
    "do": "read", "paths": arrays, "piece": bytes
                    -> of each array {"dtype": numpy's}, then its elements in pieces

or {"do": "close"}, which closes the file that is open.

Answers are frames: a letter (J: JSON, D: data, E: error, end: .), the length in 8 bytes, the bytes.
CPU time is limited for each request, so that a loop ends whatever the disk does.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tflrepair.processes.launch import limit_time
from tflrepair.weights.native.stamp import stamp
from tflrepair.wording import plural

# Seconds of CPU time for a request, and what is added for each byte that it concerns: listing
# takes some 0.2 ms for an object of 500 bytes, unpacking 200 MB/s.
SECONDS = 0.7
LISTING = 4e-6
READING = 5e-8
_IMPORT = 120.0  # importing TensorFlow takes 3 s; that is not the file's fault


class Files:
    """The file that was asked for last stays open."""

    def __init__(self) -> None:
        self.key: Any = None
        self.file: Any = None

    def get(self, request: dict[str, Any]) -> Any:
        key = [request[name] for name in ("file", "kind", "member", "stamp")]
        if stamp(Path(request["file"])) != request["stamp"]:
            raise ValueError("it was changed while it was read")
        if key != self.key:
            self.close()
            self.file = open_file(request)
            self.key = key
        return self.file

    def close(self) -> None:
        file, self.key, self.file = self.file, None, None
        if file is not None:
            file.close()


def open_file(request: dict[str, Any]) -> Any:
    if request["kind"] == "hdf5":
        from tflrepair.weights.native.hdf5 import H5Reader

        return H5Reader(request["file"], request["member"])
    if request["kind"] == "saved_model":
        from tflrepair.weights.native.checkpoint import SavedModelReader

        return SavedModelReader(request["file"])
    if request["kind"] == "checkpoint":
        from tflrepair.weights.native.checkpoint import CheckpointReader

        return CheckpointReader(request["file"])
    if request["kind"] == "saved_model_graph":
        from tflrepair.weights.native.saved_model_graph import GraphReader

        return GraphReader(request["file"])
    from tflrepair.weights.native.safetensors import SafetensorsReader

    return SafetensorsReader(request["file"])


def main() -> None:
    # what native code prints must not get between the frames
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    files = Files()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            for kind, data in answers(files, request):
                frame(out, kind, data)
            frame(out, b".", b"")
        except MemoryError:
            frame(out, b"E", b'["BadFileError", "needs more memory than is allowed for it"]')
        except Exception as error:
            text = [type(error).__name__, str(error)[:2000]]
            frame(out, b"E", json.dumps(text).encode())
        limit_time(0)
        out.flush()


def answers(files: Files, request: dict[str, Any]) -> Iterator[tuple[bytes, Any]]:
    if request["do"] == "close":
        limit_time(SECONDS)
        files.close()
        return
    size = request["size"]
    if request["kind"] in ("saved_model", "saved_model_graph", "checkpoint"):
        limit_time(_IMPORT)
        importlib.import_module("tensorflow")  # before the time for the file begins
    if request["do"] == "list":
        limit_time(SECONDS + LISTING * size)
        file = files.get(request)
        text = json.dumps(file.listing()).encode()
        if len(text) > 4 * size + (1 << 20):
            raise ValueError(
                f"a file of {plural(size, 'byte')} lists {plural(len(text), 'byte')} of names"
            )
        yield b"J", text
        return
    limit_time(SECONDS + LISTING * size)
    file = files.get(request)
    for path in request["paths"]:
        array = file.array(path)
        limit_time(SECONDS + READING * array.nbytes)
        yield b"J", json.dumps({"dtype": array.dtype}).encode()
        for piece in array.pieces(request["piece"]):
            yield b"D", piece


def frame(out: IO[bytes], kind: bytes, data: Any) -> None:
    view = memoryview(data)
    out.write(kind + view.nbytes.to_bytes(8, "little"))
    out.write(view.cast("B") if view.nbytes else b"")


if __name__ == "__main__":
    main()
