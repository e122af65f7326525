"""The child process of an audit as its parent sees it: it is asked, and may fail in any way."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

from tflrepair.audit.rows import Row
from tflrepair.errors import (
    BadFileError,
    OutOfMemoryError,
    TflRepairError,
    UnsupportedError,
    UserError,
)
from tflrepair.leftovers import temporary_file
from tflrepair.processes import children
from tflrepair.processes.ending import last_words, signal_name
from tflrepair.wording import megabytes

WORKER = Path(__file__).with_name("worker.py")
_START = 60.0  # seconds in which a child must be there: the machine may be busy
_ENDING = 5.0  # seconds that a child which has closed its answers has to end
_MOST = 1 << 28  # bytes of an answer


class NoAnswer(BadFileError):
    """The process ended, or said what is no answer; which input did that cannot be told."""


class Child:
    """A process that reads one input after the other.

    Attributes:
        answers: how many inputs it has answered.

    Raises:
        UnsupportedError: it did not start; no file is to blame.
    """

    def __init__(self) -> None:
        package = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
        self.answers = 0
        self._thread = threading.current_thread()
        self._log = _log()
        try:
            self._process = children.start(
                children.command(WORKER, []),
                env={**os.environ, "PYTHONPATH": paths},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log or subprocess.DEVNULL,
            )
        except OSError as error:
            self._close_log()
            raise _not_started(str(error)) from None
        try:
            self._wait([], _START)
        except TflRepairError as error:
            self.end()
            raise _not_started(error.message) from None

    @property
    def alive(self) -> bool:
        # on Linux a child ends with the thread that has started it
        return self._thread.is_alive() and self._process.poll() is None

    def ask(self, request: dict[str, Any], data: bytes | None, seconds: float) -> list[Row]:
        """The rows of one input.

        Raises:
            NoAnswer: the process ended, or its answer is none.
            BadFileError: the seconds are over, or the answer has no end.
            OutOfMemoryError: the process had not enough of it.
            UnsupportedError: no thread can be started that asks.
        """
        if self._log is not None:  # the words of earlier inputs; the file is the child's, too
            os.ftruncate(self._log.fileno(), 0)
            os.lseek(self._log.fileno(), 0, os.SEEK_SET)
        head = json.dumps({**request, "number": self.answers}).encode() + b"\n"
        rows = _rows(self._wait([head, data or b""], seconds), self.answers)
        self.answers += 1
        return rows

    def _wait(self, request: list[bytes], seconds: float) -> bytes:
        """The line that it says to ``request``. After an error it must be ended."""
        answers: list[bytes] = []
        exchange = threading.Thread(target=self._exchange, args=(request, answers), daemon=True)
        try:
            exchange.start()
        except RuntimeError as error:  # no memory for its stack, or too many threads
            raise _not_started(str(error)) from None
        try:
            exchange.join(min(seconds, threading.TIMEOUT_MAX))
        except BaseException:  # an answer that nobody waits for would be the next input's
            self.end()
            raise
        if exchange.is_alive():
            self.end()  # which ends the exchange, too
            exchange.join()
            raise BadFileError(f"was not read within {seconds:g} seconds")
        answer = answers[0] if answers else b""
        if answer.endswith(b"\n"):
            return answer
        if len(answer) > _MOST:
            raise BadFileError(f"more than {megabytes(_MOST)} would have to be said of it")
        how = self._end()
        if how.endswith("MemoryError"):
            raise OutOfMemoryError("there is not enough memory to read it")
        raise NoAnswer(f"the process that read it {how}")

    def _exchange(self, request: list[bytes], answers: list[bytes]) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return
        try:
            for part in request:
                stdin.write(part)
            stdin.flush()
            answers.append(stdout.readline(_MOST + 1))
        except (OSError, ValueError, MemoryError):  # it has ended, or has been ended
            pass

    def _end(self) -> str:
        """How it ended, with its last words."""
        try:
            self._process.wait(_ENDING)
            how = f"ended ({signal_name(self._process.returncode)})"
        except subprocess.TimeoutExpired:
            how = "gave no answer"
        if self._log is None:
            return how
        words = last_words(self._log)
        return f"{how}: {words}" if words else how

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def end(self) -> None:
        """Kill it, however it is."""
        children.end(self._process)
        self._close_log()


def _log() -> IO[bytes] | None:
    """Where the child's last words go; None where there is no folder for temporary files."""
    try:
        return temporary_file()
    except UserError:
        return None


def _not_started(why: str) -> UnsupportedError:
    return UnsupportedError(
        f"no process to read it could be started: {why}",
        hint="this machine or its packages are at fault, not the file",
    )


def _rows(answer: bytes, number: int) -> list[Row]:
    """Raises NoAnswer unless it is the answer to request ``number``."""
    try:
        told, rows = json.loads(answer)
    except (ValueError, TypeError, RecursionError):
        told, rows = None, None
    fields = Row.__annotations__.keys()
    if told != number or not isinstance(rows, list) or not rows:
        raise NoAnswer("the process that read it gave an answer that cannot be understood")
    if not all(isinstance(row, dict) and row.keys() == fields for row in rows):
        raise NoAnswer("the process that read it gave an answer that cannot be understood")
    return rows
