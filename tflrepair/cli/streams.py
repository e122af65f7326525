"""Standard streams that are closed, full, or left by their reader."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import NoReturn

from tflrepair.errors import UserError


def check() -> None:
    """Make sure that descriptors 0 to 2 are open: else the next file opened takes their place, and
    what native code prints goes into it.

    Raises:
        UserError: standard output is closed, so nothing could be reported.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    for name in ("stdin", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        raise UserError(
            "standard output is closed, so nothing can be reported",
            hint="redirect it, for instance to /dev/null",
        )
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # the C locale has ASCII only, and names may have anything
            with contextlib.suppress(OSError, ValueError):
                reconfigure(errors="backslashreplace")


def report_broken(error: OSError) -> None:
    """Say that the report could not be written; silent where its reader has left (head, less)."""
    if error.errno == errno.EPIPE:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"tflrepair: the report cannot be written: {error.strerror or error}\n")
        sys.stderr.flush()


def leave(code: int) -> NoReturn:
    """Exit with ``code``, whatever Python finds when it closes the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # what cannot be written must not be tried again by the interpreter, which would
            # exit with 120
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
