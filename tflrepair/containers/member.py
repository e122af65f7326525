"""A file inside another: its path, its first bytes, and all of them on request."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tflrepair.errors import BadFileError

HEAD = 16


@dataclass(frozen=True)
class Member:
    """``head`` has up to 16 bytes; ``data`` maps or unpacks the whole, each time it is called."""

    path: str
    head: bytes
    data: Callable[[], memoryview] = field(repr=False)

    @classmethod
    def of_file(cls, file: Path) -> Member:
        """A file on disk, mapped."""
        try:
            with file.open("rb") as stream:
                view = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is empty (0 bytes)"
            raise BadFileError(f"cannot be read: {reason}", where=os.fspath(file)) from None
        return cls(str(file), bytes(view[:HEAD]), lambda: view)
