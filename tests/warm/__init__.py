"""Child processes that need not import TensorFlow: forked from one that has done so.

Importing it takes 3 s of CPU time, what a test has a child do often less. The child is a process of
its own all the same, begins with ``processes/launch.py``, runs the product's own script and dies
alone. What it lacks is a fresh interpreter: tests about starting, stopping and ending processes ask
for the fixture ``cold``.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

from tflrepair.execution import worker
from tflrepair.processes import children
from tflrepair.tensorflow import convert

SERVER = Path(__file__).with_name("server.py")
# as they are before a test puts others in their place
_PYTHON, _CONVERT = sys.executable, str(convert.WORKER)
# variables that decide at the start of a process how memory is given out
_MEMORY = ("MALLOC_PERTURB_", "GLIBC_TUNABLES")

_servers: dict[tuple[str | None, ...], _Server] = {}
_cold: Callable[..., Any] = children.start
enabled = hasattr(os, "fork")


class Forked:
    """As much of a ``subprocess.Popen`` as is used of one."""

    stdin = stdout = stderr = None

    def __init__(self, server: _Server, pid: int) -> None:
        self._server, self.pid = server, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._end(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._end(timeout) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return cast(int, self.returncode)

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def _end(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self.returncode = self._server.answer("code", timeout)
            if self.returncode is not None:
                self._server.busy.release()
        return self.returncode


class _Server:
    def __init__(self, env: dict[str, str]) -> None:
        # not by launch.py: it is to outlive the thread that starts it, and ends with its input
        self.process = _cold(
            [_PYTHON, str(SERVER)],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.busy = threading.Lock()
        self._pending = b""

    def run(self, line: Sequence[str], env: dict[str, str], log: str) -> Forked:
        """Begin with what follows Python in a command line. The caller holds ``busy``."""
        row = {"argv": list(line), "env": env, "cwd": str(Path.cwd()), "log": log}
        requests = cast(IO[bytes], self.process.stdin)
        requests.write(json.dumps(row).encode() + b"\n")
        requests.flush()
        return Forked(self, cast(int, self.answer("pid", None)))

    def answer(self, key: str, timeout: float | None) -> int | None:
        """The next answer; None if there was none within ``timeout`` seconds."""
        stream = cast(IO[bytes], self.process.stdout)
        while b"\n" not in self._pending:
            if not select.select([stream], [], [], timeout)[0]:
                return None
            more = os.read(stream.fileno(), 4096)
            assert more, "the process that has imported TensorFlow has ended"
            self._pending += more
        text, _, self._pending = self._pending.partition(b"\n")
        return int(json.loads(text)[key])


def _server(env: dict[str, str]) -> _Server | None:
    """One whose memory is given out as ``env`` says; None if it is at work."""
    key = tuple(env.get(name) for name in _MEMORY)
    found = _servers.get(key)
    if found is None:
        found = _servers[key] = _Server(env)
    return found if found.busy.acquire(blocking=False) else None


def _needs_tensorflow(line: Sequence[str]) -> bool:
    python, launch, _, _, script, *arguments = line
    if python != _PYTHON or launch != str(children.LAUNCH):
        return False
    if script == worker.__file__ and arguments != ["--list"]:
        job = json.loads((Path(arguments[0]) / "job.json").read_text(encoding="utf-8"))
        return not str(job["module"]).startswith("ai_edge_litert.")
    return script == _CONVERT


def start(line: Sequence[str], **options: Any) -> Any:
    """What ``children.start`` is in tests."""
    if enabled and _needs_tensorflow(line) and (server := _server(dict(options["env"]))):
        return server.run(line[1:], dict(options["env"]), options["stdout"].name)
    return _cold(line, **options)


def use() -> None:
    """Have this process start its children so."""
    children.start = start


def run_script(script: Path, arguments: Sequence[str], env: dict[str, str], log: Path) -> int:
    """Run a script of the tests to its end. Returns its code."""
    line = children.command(script, arguments)
    server = _server(env) if enabled else None
    if server is None:
        with log.open("wb") as stream:
            return subprocess.run(
                line, env=env, stdout=stream, stderr=stream, check=False
            ).returncode
    return server.run(line[1:], env, str(log)).wait()


@atexit.register
def _end() -> None:
    for server in _servers.values():
        children.end(server.process)
