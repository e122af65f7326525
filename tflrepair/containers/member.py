"""A file inside another: its path, its first bytes, and all of them on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tflrepair.errors import TflRepairError, masked
from tflrepair.sources.opened import open_source
from tflrepair.sources.source import ByteSource

HEAD = 16


@dataclass(frozen=True)
class Member:
    """``head`` has up to 16 bytes; ``source`` opens or unpacks the whole, each time."""

    path: str
    head: bytes
    source: Callable[[], ByteSource] = field(repr=False)

    @classmethod
    def of_file(cls, path: str) -> Member:
        """A file on disk, or at an address. Raises as ``open_source``."""
        try:
            source = open_source(path)
            head = bytes(source.read(0, min(HEAD, source.size)))
        except TflRepairError as error:
            raise error.within(path) from None
        return cls(masked(path), head, lambda: source)
