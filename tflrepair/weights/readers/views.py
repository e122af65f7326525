"""Files mapped into memory: no file stays open, nothing is copied."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import IO

from tflrepair.errors import BadFileError


def mapped(path: str) -> memoryview:
    """The bytes of a file, not read yet.

    Raises:
        BadFileError: it cannot be opened, or is empty.
    """
    try:
        with Path(path).open("rb") as stream:
            return map_stream(stream)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is empty (0 bytes)"
        raise BadFileError(f"cannot be read: {reason}", where=path) from None


def map_stream(stream: IO[bytes]) -> memoryview:
    return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
