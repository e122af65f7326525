"""Scans in a child process that is kept for the next one, and replaced where one ends it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

from tflrepair.audit.rows import Row
from tflrepair.errors import BadFileError, TflRepairError, UserError
from tflrepair.processes import children
from tflrepair.processes.ending import signal_name
from tflrepair.wording import kind_of

_START = 60.0  # seconds in which a child must be there: the machine may be busy
WORKER = Path(__file__).with_name("worker.py")

# A path or an address; or a name and the bytes of a model.
Input = str | os.PathLike[str] | tuple[str, bytes]


class Scanner:
    """Gives the rows of inputs, one after the other. A copy by pickle has a child of its own.

    Args:
        select, ignore, values: as ``tflrepair.scan``.
        seconds: how long one input may take.

    Raises:
        UserError: no check has such a code, or ``seconds`` is not positive.
    """

    def __init__(
        self, select: tuple[str, ...], ignore: tuple[str, ...], values: bool, seconds: float
    ) -> None:
        from tflrepair.checks.registry import choose

        choose(select, ignore)
        if not seconds > 0:
            raise UserError(f"{seconds} seconds cannot be")
        self._options = {"select": list(select), "ignore": list(ignore), "values": values}
        self._seconds = seconds
        self._child: _Child | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_child": None}

    def rows(self, given: Input) -> list[Row]:
        """The models in one input, or the one error that kept us from reading it."""
        try:
            name, data = _name_and_bytes(given)
        except TflRepairError as error:
            return [failed(repr(given)[:100], error)]
        request = {"path": name, "size": None if data is None else len(data), **self._options}
        try:
            child = self._ready()
            return child.ask(json.dumps(request).encode() + b"\n" + (data or b""), self._seconds)
        except (TflRepairError, OSError) as found:
            self.close()
            problem = found if isinstance(found, TflRepairError) else BadFileError(str(found))
            return [failed(name, problem)]

    def close(self) -> None:
        """End the child process; the next input starts another one."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ready(self) -> _Child:
        # on Linux a child ends with the thread that has started it
        if self._child is not None and not self._child.alive:
            self.close()
        if self._child is None:
            self._child = _Child()
        return self._child


class _Child:
    def __init__(self) -> None:
        package = str(Path(__file__).parents[2])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
        self._thread = threading.current_thread()
        self._process = children.start(
            children.command(WORKER, []),
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait(b"", _START, "the process that reads it did not start")
        except TflRepairError:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and self._process.poll() is None

    def ask(self, request: bytes, seconds: float) -> list[Row]:
        """Raises BadFileError if the process ends, or ``seconds`` are over."""
        rows: list[Row] = self._wait(request, seconds, "was not read")
        return rows

    def _wait(self, request: bytes, seconds: float, what: str) -> Any:
        answers: list[bytes] = []
        exchange = threading.Thread(target=self._exchange, args=(request, answers), daemon=True)
        exchange.start()
        exchange.join(seconds)
        if exchange.is_alive():
            self.end()  # which ends the exchange, too
            exchange.join()
            raise BadFileError(f"{what} within {seconds:g} seconds")
        if not answers or not answers[0].endswith(b"\n"):
            self._process.wait()
            how = signal_name(self._process.returncode)
            raise BadFileError(f"the process that read it ended ({how})")
        return json.loads(answers[0])

    def _exchange(self, request: bytes, answers: list[bytes]) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return
        try:
            stdin.write(request)
            stdin.flush()
            answers.append(stdout.readline())
        except (OSError, ValueError):  # it has ended, or has been ended
            pass

    def end(self) -> None:
        children.end(self._process)


def failed(path: str, error: TflRepairError) -> Row:
    """The row of what could not be read."""
    from tflrepair.report.contract.envelope import error_item

    return {"path": path, "ok": False, "result": None, "error": dict(error_item(error, path))}


def _name_and_bytes(given: Any) -> tuple[str, bytes | None]:
    if isinstance(given, str | os.PathLike):
        return os.fspath(given), None
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], str | os.PathLike):
        name, data = os.fspath(given[0]), given[1]
        if isinstance(data, bytes | bytearray | memoryview):
            return str(name), bytes(data)
    raise UserError(
        f"{kind_of(given)} is no input of an audit",
        hint="give a path, an address, or a pair of a name and the bytes of a model",
    )
