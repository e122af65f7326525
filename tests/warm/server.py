"""Imports what takes time, then runs scripts in forks until its input ends.

``server.py KIND SOCKET``, where KIND is tensorflow, light (LiteRT and the command line) or reading
(HDF5). Each connection to SOCKET, a path, is a server of its own. Requests are lines of JSON on
standard input: {"argv": what follows Python in the command line, "env": variables, "cwd": folder,
"out", "err": files for what it prints, "follow": whether its own children are forks, too}. With a
request a connection may pass the streams to read from and to write to. Answers are lines on
standard output: {"pid": of the fork}, then {"code": as ``Popen.returncode``}.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import select
import socket
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import warm


def load(kind: str) -> None:
    """Import what the scripts of a kind need. They say so themselves where it is missing."""
    if kind == "reading":
        modules = ["numpy", "h5py", "tflrepair.weights.native.worker"]
    else:
        modules = ["numpy", "rich.console", "tflrepair.cli"]
        # what typer imports once it has options to look at, in some of its versions
        modules += filter(find_spec, ["typer._adapters"])
    if kind != "reading" and find_spec("ai_edge_litert"):
        modules.append("ai_edge_litert.interpreter")
    for name in modules:
        import_module(name)
    if kind == "tensorflow" and find_spec("tensorflow"):
        import tensorflow as tf

        # what is loaded when it is first asked for
        _ = (tf.lite.TFLiteConverter, tf.lite.Interpreter, tf.saved_model.save, tf.keras)


def listen(kind: str, listener: socket.socket) -> None:
    """Serve standard input, and each connection in a fork."""
    connections: list[int] = []
    while True:
        ready = select.select([0, listener.fileno()], [], [])[0]
        connections = [pid for pid in connections if not os.waitpid(pid, os.WNOHANG)[0]]
        if listener.fileno() in ready:
            line = listener.accept()[0]
            pid = os.fork()
            if not pid:
                for number in (0, 1):
                    os.dup2(line.fileno(), number)
                line.close()
                listener.close()
                serve(kind)
                os._exit(0)
            line.close()
            connections.append(pid)
        elif not serve(kind, 1):
            return


def serve(kind: str, most: int = -1) -> bool:
    """Answer ``most`` requests, or all until the input ends; whether it has not ended."""
    while most:
        line, streams = b"", list[int]()
        while not line.endswith(b"\n"):
            more, passed = receive()
            if not more:
                return False
            line += more
            streams += passed
        most -= 1
        pid = os.fork()
        if not pid:
            child(kind, json.loads(line), streams)
        for number in streams:
            os.close(number)
        tell(pid=pid)
        tell(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return True


def receive() -> tuple[bytes, list[int]]:
    """Bytes of requests, and the streams that come with them; none at the end."""
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        return os.read(0, 1 << 16), []
    with socket.socket(fileno=os.dup(0)) as line:
        data, streams, _, _ = socket.recv_fds(line, 1 << 16, 2)
    return data, streams


def tell(**answer: int) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def child(kind: str, job: dict[str, Any], streams: list[int]) -> None:
    """``streams``: its standard input and output; none for nothing and the file "out"."""
    code = 1
    atexit._clear()  # what its parent has registered is not for it to do
    try:
        os.environ.clear()
        os.environ.update(job["env"])
        os.chdir(job["cwd"])
        tempfile.tempdir = None  # TMPDIR decides again
        extra = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [path for path in extra if path and path not in sys.path]
        if job.get("follow"):
            atexit.register(followers(kind))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        streams = streams or [os.open(os.devnull, os.O_RDONLY), os.open(job["out"], flags)]
        for target, number in enumerate([*streams, os.open(job["err"], flags)]):
            os.dup2(number, target)
            os.close(number)
        run(job["argv"])
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        atexit._run_exitfuncs()
        os._exit(code)


def run(argv: list[str]) -> None:
    """What Python does with this command line."""
    if argv[0] == "-m":
        sys.argv = argv[1:]
        sys.path.insert(0, str(Path.cwd()))  # as Python itself does
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        return
    launch, _, *rest = argv
    sys.argv = [launch, str(os.getppid()), *rest]
    sys.path.insert(0, str(Path(launch).parent))  # as Python itself does
    runpy.run_path(launch, run_name="__main__")


def followers(kind: str) -> Callable[[], None]:
    """Fork a server for the children of this process, before it does anything; how to end it."""
    ours, theirs = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        for number, target in ((ours[0], 0), (theirs[1], 1)):
            os.dup2(number, target)
        for number in (*ours, *theirs):
            os.close(number)
        serve(kind)
        os._exit(0)
    os.close(ours[0])
    os.close(theirs[1])
    requests = os.fdopen(ours[1], "wb")
    warm.adopt(kind, requests, os.fdopen(theirs[0], "rb"))

    def end() -> None:
        requests.close()
        os.waitpid(pid, 0)

    return end


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(sys.argv[2])
        waiting.listen()
        load(sys.argv[1])
        listen(sys.argv[1], waiting)
