"""Every error that leaves tflrepair.

    TflRepairError            the root: catch this one
    +-- BadFileError          the file is truncated, corrupt or not what its name says
    +-- UnsupportedError      the file may be right, but it needs what we (or this machine) lack
    +-- RefusedError          a repair that would not be exact: ambiguous, missing or conflicting
    |   +-- UndecidedError    values that must be chosen first, with the options that choose them
    +-- UserError             the call itself is wrong: an option, a name, a path

A message says what is wrong; ``where`` says where (byte offset, subgraph, operator, tensor);
``hint`` says what to do next. The command line prints all three and exits with 2.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import ClassVar

# user and password (RFC 3986, section 3.2.1), and what signs the address of a store
_SECRETS = re.compile(
    r"""(?P<user>\b[a-z][a-z0-9+.-]*://)[^/\s"'?#]*@"""
    r"""|(?P<name>[?&][^=&#\s"']*(?:sig|token|key|secret|passw|credential|auth)[^=&#\s"']*=)"""
    r"""[^&#\s"']+""",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """``https://user:password@host/x?sig=1`` -> ``https://***@host/x?sig=***``; the rest stays."""
    if "://" not in text:
        return text
    return _SECRETS.sub(
        lambda found: f"{found['user']}***@" if found["user"] else f"{found['name']}***", text
    )


class ErrorCode(StrEnum):
    """What kind of error it is, for programs. A code never changes its meaning."""

    ERROR = "error"
    BAD_FILE = "bad-file"
    DAMAGED_FILE = "damaged-file"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    USAGE = "usage"
    OUT_OF_MEMORY = "out-of-memory"
    TOO_DEEP = "too-deep"
    INTERRUPTED = "interrupted"


class TflRepairError(Exception):
    """The root of all errors raised on purpose.

    Passwords in addresses are masked.

    Attributes:
        message: one sentence, no trailing full stop.
        where: a location such as ``"subgraph 2, operator 14"`` or ``"byte 1024"``, or None.
        hint: what to do next, or None.
        code: its kind, for programs.
        detail: all that another program said, TensorFlow's converter say; None if nothing more.
    """

    code: ClassVar[ErrorCode] = ErrorCode.ERROR
    listing: ClassVar[bool] = False  # whether the message has a line for each of several things

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(masked(message))
        self.detail = masked(detail) if detail else None
        self.message = masked(message)
        self.where = masked(where) if where else where
        self.hint = masked(hint) if hint else hint

    def __repr__(self) -> str:
        parts = [repr(self.message)]
        parts += [f"where={self.where!r}"] if self.where else []
        parts += [f"hint={self.hint!r}"] if self.hint else []
        return f"{type(self).__name__}({', '.join([*parts, f'code={self.code.value!r}'])})"

    def __str__(self) -> str:
        text = self.message
        if self.where:
            text += f" (at {self.where})"
        if self.hint:
            text += f"; {self.hint}"
        return text

    def within(self, place: str) -> TflRepairError:
        """The same error with ``place`` put in front of its location."""
        place = masked(place)
        if self.where is None:
            self.where = place
        elif place not in (self.where, self.where.split(", ")[0]):
            self.where = f"{place}, {self.where}"
        return self


class BadFileError(TflRepairError):
    """The file is truncated, corrupt, or another kind of file than it should be."""

    code = ErrorCode.BAD_FILE


class UnsupportedError(TflRepairError):
    """A feature that tflrepair does not cover, or an optional package that is not installed."""

    code = ErrorCode.UNSUPPORTED


class RefusedError(TflRepairError):
    """A repair that would not be exact: ambiguity, missing or conflicting values."""

    code = ErrorCode.REFUSED
    listing = True


class UndecidedError(RefusedError):
    """Values that must be chosen first.

    Attributes:
        options: what to add to the command to choose all of them; () where there is no such thing.
    """

    code = ErrorCode.UNDECIDED

    def __init__(self, message: str, *, options: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.options = options


class UserError(TflRepairError):
    """The call is wrong: an unknown name, a bad option, an output that exists already."""

    code = ErrorCode.USAGE


class OutOfMemoryError(TflRepairError):
    """The machine has not enough memory for it."""

    code = ErrorCode.OUT_OF_MEMORY


class TooDeepError(TflRepairError):
    """The input is nested more deeply than can be followed."""

    code = ErrorCode.TOO_DEEP


class InterruptedByError(TflRepairError):
    """A signal asked to end."""

    code = ErrorCode.INTERRUPTED
