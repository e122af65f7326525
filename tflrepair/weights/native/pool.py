"""The child processes that read files of weights, and those of them that are kept for the next."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from tflrepair.errors import UnsupportedError, UserError
from tflrepair.leftovers import Folder
from tflrepair.processes import children, ending

WORKER = Path(__file__).with_name("worker.py")
MEMORY = 224 << 20  # bytes of private memory; 52 MB of it are Python's, numpy's and h5py's own
_WAIT = 600.0  # seconds without an answer: the disk stands still, or CPU time cannot be limited
_IDLE = 2  # children kept for the next request

_idle: list[Child] = []


class Refused(Exception):
    """The child's error, or its death."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class Child:
    """One child process and its pipes.

    Attributes:
        memory: its limit, in bytes.
        refused: it has met a file that it could not read; its memory may be damaged.
        thread: started it. On Linux it ends when that thread does.
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.refused = False
        self.thread = threading.current_thread()
        package = Path(__file__).parents[3]
        paths = [str(package), os.environ.get("PYTHONPATH", "")]
        # one thread: a pool of them reserves memory that counts against the limit
        more = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._folder = Folder()  # for what it leaves behind if it is killed
        try:
            with contextlib.suppress(UserError):  # libraries that need none read all the same
                folder = str(self._folder.make().absolute())
                more |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)
            self.process = children.start(
                children.command(WORKER, [], memory=memory),
                env={**os.environ, **more},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except BaseException:
            self._folder.leave()
            raise

    def end(self) -> None:
        children.end(self.process)
        self._folder.leave()

    def frames(self, request: dict[str, Any]) -> Iterator[tuple[bytes, bytearray]]:
        """The answer to one request. Raises Refused."""
        requests, answers = (
            cast(IO[bytes], self.process.stdin),
            cast(IO[bytes], self.process.stdout),
        )
        with contextlib.suppress(OSError):  # it has died; reading tells
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
        if request["do"] == "close":  # told while objects are collected: no time for threads
            yield from self._answer(answers)
            return
        guard = threading.Timer(_WAIT + request.get("patience", 0), self.process.kill)
        guard.daemon = True
        guard.start()
        try:
            yield from self._answer(answers)
        finally:
            guard.cancel()

    def _answer(self, answers: IO[bytes]) -> Iterator[tuple[bytes, bytearray]]:
        while True:
            head = self._read(answers, 9)
            data = self._read(answers, int.from_bytes(head[1:], "little"))
            tag = bytes(head[:1])
            if tag == b".":
                return
            if tag == b"E":
                raise Refused(*json.loads(data))
            yield tag, data

    def _read(self, stream: IO[bytes], count: int) -> bytearray:
        data = bytearray(count)
        view, done = memoryview(data), 0
        while done < count:
            got = stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                raise Refused("BadFileError", self._death())
            done += got
        return data

    def _death(self) -> str:
        name = ending.signal_name(self.process.wait())
        if name in ("SIGPROF", "SIGXCPU"):
            return "takes longer to read than a file of its size should: damaged or malicious"
        return f"the library that reads it crashed ({name}): the file is damaged or malicious"


def ask(request: dict[str, Any]) -> Iterator[tuple[bytes, bytearray]]:
    try:
        child = _take(request["memory"]) or Child(request["memory"])
    except OSError as error:
        raise UnsupportedError(f"no child process can be started: {error}") from None
    whole = False
    try:
        yield from child.frames(request)
        whole = True
    except Refused:
        child.refused = True
        whole = child.process.poll() is None  # it said no, and is ready for the next
        raise
    finally:
        if whole and len(_idle) < _IDLE:
            _idle.append(child)
        else:
            child.end()


def _take(memory: int) -> Child | None:
    """An idle child that will not end before its answer does, as that of another thread may."""
    lasting = (threading.current_thread(), threading.main_thread())
    for child in tuple(_idle):
        ended = child.process.poll() is not None
        if ended or (child.thread in lasting and child.memory == memory):
            with contextlib.suppress(ValueError):  # another thread took it
                _idle.remove(child)
                if not ended:
                    return child
                child.end()
    return None


def close_files() -> None:
    """Have the idle children close what they read last. They are kept: the next file need not
    wait for a new one. A child that refused a file is not: whatever that file did to it must not
    reach the next.
    """
    for _ in range(len(_idle)):
        with contextlib.suppress(IndexError):  # another thread took it
            _close(_idle.pop(0))


def _close(child: Child) -> None:
    closed = False
    try:
        if not child.refused:
            closed = list(child.frames({"do": "close"})) == []
    except Refused:
        pass
    finally:
        if closed:
            _idle.append(child)
        else:
            child.end()


@atexit.register
def end_idle() -> None:
    while _idle:
        _idle.pop().end()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_idle.clear)
