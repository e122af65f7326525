"""Scans in a child process that is kept for the next one, and replaced where one ends it."""

from __future__ import annotations

import os
from typing import Any

from tflrepair.audit.child import Child, NoAnswer
from tflrepair.audit.rows import Row
from tflrepair.errors import BadFileError, OutOfMemoryError, TflRepairError, UserError
from tflrepair.report.contract.envelope import error_item, well_formed
from tflrepair.wording import kind_of

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
        if not isinstance(seconds, int | float) or not seconds > 0:
            raise UserError(f"{seconds} seconds cannot be", hint="give a number above 0")
        self._options = {"select": list(select), "ignore": list(ignore), "values": values}
        self._seconds = seconds
        self._child: Child | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_child": None}

    def rows(self, given: Input) -> list[Row]:
        """The models in one input, or the one error that kept us from reading it."""
        try:
            name, data = _name_and_bytes(given)
        except TflRepairError as error:
            return [failed(_shown(given), error)]
        try:
            return self._ask(name, data)
        except (TflRepairError, OSError, MemoryError) as found:
            self.close()
            return [failed(name, _as_ours(found))]

    def _ask(self, name: str, data: bytes | None) -> list[Row]:
        """Raises BadFileError, or UnsupportedError where no child can be started."""
        request = {"path": name, "size": None if data is None else len(data), **self._options}
        child = self._ready()
        try:
            return child.ask(request, data, self._seconds)
        except NoAnswer:
            if not child.answers:
                raise
        # It has read others before: this input is to blame only if it does that to a new one, too.
        self.close()
        return self._ready().ask(request, data, self._seconds)

    def close(self) -> None:
        """End the child process; the next input starts another one."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ready(self) -> Child:
        if self._child is not None and not self._child.alive:
            self.close()
        if self._child is None:
            self._child = Child()
        return self._child


def _as_ours(error: TflRepairError | OSError | MemoryError) -> TflRepairError:
    if isinstance(error, TflRepairError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemoryError("there is not enough memory to read it")
    return BadFileError(str(error))


def failed(path: str, error: TflRepairError) -> Row:
    """The row of what could not be read."""
    row = {"path": path, "ok": False, "result": None, "error": dict(error_item(error, path))}
    told: Row = well_formed(row)  # names of files need not be UTF-8, rows must be
    return told


def _name_and_bytes(given: Any) -> tuple[str, bytes | None]:
    if isinstance(given, str | os.PathLike):
        return _name(given), None
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], str | os.PathLike):
        name, data = _name(given[0]), given[1]
        if isinstance(data, bytes | bytearray | memoryview):
            return name, data if isinstance(data, bytes) else bytes(data)
    raise UserError(
        f"{kind_of(given)} is no input of an audit",
        hint="give a path, an address, or a pair of a name and the bytes of a model",
    )


def _name(given: str | os.PathLike[Any]) -> str:
    try:
        return os.fsdecode(given)  # a path may be of bytes
    except Exception as error:  # whatever a class of a user's own does
        raise UserError(f"{kind_of(given)} is no path: {error}", hint="give a str") from None


def _shown(given: Any) -> str:
    """What is no input: by its name if it has one, else by its kind, as it may be of gigabytes."""
    if isinstance(given, tuple) and given and isinstance(given[0], str):
        return given[0]
    return str(given) if isinstance(given, int | float | None) else f"({kind_of(given)})"
