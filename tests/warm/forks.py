"""Forks as their parent sees them, and the pipes to the processes that fork."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast


class Forked:
    """As much of a ``subprocess.Popen`` as is used of one."""

    stdin: IO[bytes] | None = None
    stdout: IO[bytes] | None = None
    stderr: IO[bytes] | None = None

    def __init__(self, server: Server, pid: int) -> None:
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
                self._server.rest()
        return self.returncode


class Piped(Forked):
    """One with pipes to its standard input and output."""

    def __init__(self, server: Server, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        super().__init__(server, pid)
        self.stdin, self.stdout = stdin, stdout


class Server:
    """The pipes to a process that forks.

    Attributes:
        process: None if another one has started it.
        line: the connection to one such.
        once: whether it is for one job.
    """

    def __init__(
        self,
        requests: IO[bytes],
        answers: IO[bytes],
        process: subprocess.Popen[bytes] | None,
        line: socket.socket | None = None,
        once: bool = False,
    ) -> None:
        self.process, self.line, self.once = process, line, once
        self._requests, self._answers = requests, answers
        self.busy = threading.Lock()
        self._pending = b""

    def run(
        self,
        line: Sequence[str],
        env: Mapping[str, str],
        out: str,
        err: str = "",
        cwd: str = "",
        follow: bool = False,
    ) -> Forked:
        """Begin with what follows Python in a command line. The caller holds ``busy``.

        Args:
            follow: the children that it starts are forks, too.
        """
        row: dict[str, Any] = {"argv": list(line), "env": dict(env), "out": out, "err": err or out}
        row |= {"cwd": cwd or str(Path.cwd()), "follow": follow}
        self._requests.write(json.dumps(row).encode() + b"\n")
        self._requests.flush()
        return Forked(self, cast(int, self.answer("pid", None)))

    def run_piped(self, line: Sequence[str], env: Mapping[str, str]) -> Piped:
        """The same with pipes, by a connection."""
        assert self.line is not None
        (read, stdin), (stdout, write) = os.pipe(), os.pipe()
        row = {"argv": list(line), "env": dict(env), "err": os.devnull, "cwd": str(Path.cwd())}
        socket.send_fds(self.line, [json.dumps(row).encode() + b"\n"], [read, write])
        os.close(read)
        os.close(write)
        streams = os.fdopen(stdin, "wb", 0), os.fdopen(stdout, "rb")
        return Piped(self, cast(int, self.answer("pid", None)), *streams)

    def rest(self) -> None:
        """A job is done."""
        if not self.once or self.line is None:
            self.busy.release()
            return
        for stream in (self._requests, self._answers, self.line):
            stream.close()

    def answer(self, key: str, timeout: float | None) -> int | None:
        """The next answer; None if there was none within ``timeout`` seconds."""
        while b"\n" not in self._pending:
            if not select.select([self._answers], [], [], timeout)[0]:
                return None
            more = os.read(self._answers.fileno(), 4096)
            assert more, "the process that forks has ended"
            self._pending += more
        text, _, self._pending = self._pending.partition(b"\n")
        return int(json.loads(text)[key])
