"""Child processes that need not import much: forked from one that has done so.

Importing TensorFlow takes 3 s of CPU time, LiteRT or the command line 0.1 to 0.2 s, what a test has
a child do often less. The child is a process of its own all the same, begins with
``processes/launch.py``, runs the product's own script and dies alone. What it lacks is a fresh
interpreter: tests about starting, stopping and ending processes ask for the fixture ``cold``.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

from tflrepair.execution import worker
from tflrepair.execution.runner import DIRTY_MEMORY
from tflrepair.processes import children
from tflrepair.tensorflow import convert
from tflrepair.tracing import trace
from tflrepair.weights.native import pool
from warm.forks import Server

SERVER = Path(__file__).with_name("server.py")
_PATHS = [str(SERVER.parents[2]), str(SERVER.parents[1])]
# as they are before a test puts others in their place
_PYTHON, _CONVERT, _TRACE = sys.executable, str(convert.WORKER), str(trace.WORKER)
# variables that decide at the start of a process how memory is given out
_MEMORY = ("MALLOC_PERTURB_", "GLIBC_TUNABLES")
# names the folder of the sockets by which forks reach servers that they cannot start themselves:
# how memory is given out is decided when a process starts
_SOCKETS = "TFLREPAIR_WARM"

_servers: dict[tuple[str | None, ...], Server] = {}
_beginning = threading.Lock()
_cold: Callable[..., Any] = children.start
_adopted = False
# elsewhere a fork may lack what its parent has loaded (threads, macOS frameworks)
enabled = sys.platform == "linux"


_Key = tuple[str | None, ...]


def _key(kind: str, env: Mapping[str, str]) -> _Key:
    return (kind, *(env.get(name) for name in _MEMORY))


def _socket(key: _Key) -> Path:
    return Path(os.environ[_SOCKETS], "-".join(str(part) for part in key))


@cache
def _own_sockets() -> None:
    """Have the forks of this process look in a folder of its own, not in that of its parent."""
    os.environ[_SOCKETS] = tempfile.mkdtemp(prefix="warm-", dir="/tmp")
    atexit.register(shutil.rmtree, os.environ[_SOCKETS], ignore_errors=True)


def _begun(key: _Key, kind: str, env: Mapping[str, str]) -> Server:
    """The server of this name, from the first call on. Several threads may ask for it."""
    with _beginning:
        if key not in _servers:
            _servers[key] = _begin(kind, env)
        return _servers[key]


def _begin(kind: str, env: Mapping[str, str]) -> Server:
    paths = os.pathsep.join(filter(None, [*_PATHS, env.get("PYTHONPATH")]))
    _own_sockets()
    # not by launch.py: it is to outlive the thread that starts it, and ends with its input
    process = _cold(
        [_PYTHON, str(SERVER), kind, str(_socket(_key(kind, env)))],
        env={**env, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return Server(process.stdin, process.stdout, process)


def _server(kind: str, env: Mapping[str, str]) -> Server | None:
    """One whose memory is given out as ``env`` says; None if there is none."""
    key = _key(kind, env)
    found = _servers.get(key) if _adopted else _begun(key, kind, env)
    if found is None:
        found = _connected(key)
        if found is None:
            return None
        _servers[key] = found
    return found if found.busy.acquire(blocking=False) else _connected(key, once=True)


def _connected(key: _Key, once: bool = False) -> Server | None:
    """A server that the tests' own process has started, if it has one.

    Args:
        once: for one job.
    """
    if _SOCKETS not in os.environ:
        return None
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(_socket(key)))
    except OSError:
        line.close()
        return None
    answers = cast(IO[bytes], line.makefile("rb", buffering=0))
    return Server(line.makefile("wb"), answers, None, line, once)


def _reading(env: Mapping[str, str]) -> _Key:
    """The server of children that read HDF5, which has begun unless this process cannot do that."""
    key = _key("reading", env)
    if not _adopted:
        _begun(key, "reading", {**env, "OPENBLAS_NUM_THREADS": "1"})
    return key


def _ready(kind: str, env: Mapping[str, str]) -> None:
    """Start the servers that a command of ``kind`` will ask for."""
    _reading(env)
    for more in ("light", "tensorflow") if kind == "tensorflow" else ("light",):
        dirty = {**env, **DIRTY_MEMORY}
        if not _adopted:
            _begun(_key(more, dirty), more, dirty)


def adopt(kind: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Have this process, itself a fork, start its children by the server behind these pipes."""
    global _adopted
    _servers.clear()
    _adopted = True
    memory = [os.environ.get(name) for name in _MEMORY]
    server = Server(requests, answers, None)
    _servers[("light", *memory)] = server
    if kind == "tensorflow":
        _servers[(kind, *memory)] = server
    use()


def _kind(line: Sequence[str]) -> str | None:
    """What the child of a command line imports; None if it is not known."""
    python, launch, _, memory, script, *arguments = line
    if python != _PYTHON or launch != str(children.LAUNCH):
        return None
    if script == str(pool.WORKER):
        return "reading" if memory == str(pool.MEMORY) else None
    if script == worker.__file__ and arguments != ["--list"]:
        job = json.loads((Path(arguments[0]) / "job.json").read_text(encoding="utf-8"))
        litert = str(job["module"]).startswith("ai_edge_litert.")
        return "light" if litert else "tensorflow"
    return {_CONVERT: "tensorflow", _TRACE: "light"}.get(script)


def start(line: Sequence[str], **options: Any) -> Any:
    """What ``children.start`` is in tests."""
    kind, env = _kind(line) if enabled else None, options["env"]
    if kind == "reading":
        if (server := _connected(_reading(env), once=True)) is not None:
            return server.run_piped(line[1:], env)
    elif kind and (server := _server(kind, env)):
        return server.run(line[1:], env, options["stdout"].name)
    return _cold(line, **options)


def use() -> None:
    """Have this process start its children so."""
    children.start = start


def run_script(script: Path, arguments: Sequence[str], env: dict[str, str], log: Path) -> int:
    """Run a script of the tests to its end. Returns its code."""
    line = children.command(script, arguments)
    server = _server("tensorflow", env) if enabled else None
    if server is None:
        with log.open("wb") as stream:
            return subprocess.run(
                line, env=env, stdout=stream, stderr=stream, check=False
            ).returncode
    return server.run(line[1:], env, str(log), follow=True).wait()


def _kind_of(words: Sequence[str]) -> str:
    """What a call loads: a conversion TensorFlow, and a run tf.lite unless a runtime is chosen."""
    command, options = tuple(words[:1]), set(words)
    converts = command in (("rebuild",), ("convert",)) or options & {"rebuild", "--no-flex"}
    runs = "--check" in words or (command == ("verify",) and "--runtime" not in words)
    return "tensorflow" if converts or runs or tuple(words) == ("demo",) else "light"


def command_line(
    *words: str,
    cwd: Path | str = ".",
    env: Mapping[str, str] | None = None,
    kind: str = "",
    stdout: str = "",
) -> subprocess.CompletedProcess[str]:
    """``python -m tflrepair WORDS...``, to its end.

    Args:
        kind: what is imported already: "light" or "tensorflow"; default: what it will run.
        stdout: a file for its standard output, which is not given back then.
    """
    line = ["-m", "tflrepair", *words]
    env = os.environ if env is None else env
    kind = kind or _kind_of(words)
    server = _server(kind, env) if enabled else None
    if server is not None:
        _ready(kind, env)
    with tempfile.TemporaryDirectory() as folder:
        out, err = stdout or f"{folder}/out", f"{folder}/err"
        if server is None:
            with Path(out).open("ab") as first, Path(err).open("ab") as second:
                code = subprocess.run(
                    [_PYTHON, *line], cwd=cwd, env=env, stdout=first, stderr=second, check=False
                ).returncode
        else:
            place = str(Path(cwd).absolute())
            code = server.run(line, env, out, err, place, follow=True).wait()
        texts = ["" if stdout else Path(out).read_text("utf-8"), Path(err).read_text("utf-8")]
    return subprocess.CompletedProcess(line, code, *texts)


@atexit.register
def _end() -> None:
    for server in _servers.values():
        if server.process is not None:
            children.end(server.process)
