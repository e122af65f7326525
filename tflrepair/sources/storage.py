"""A file in a store that fsspec knows: s3, gs, azure, hdfs, memory and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.sources.source import Piece

_SECONDS = 120.0  # for the answers to one batch of requests
# What stores say that is another for another content, as far as they say it.
_MARKS = (
    "ETag", "etag", "md5", "md5Hash", "crc32c", "generation", "VersionId", "checksum",
    "LastModified", "last_modified", "mtime", "updated", "modified", "created",
)  # fmt: skip


class Store:
    """A path in a file system of fsspec."""

    def __init__(self, system: Any, path: str) -> None:
        self._system = system
        self._path = path
        info = self._info()
        if info.get("type") == "directory":
            raise BadFileError("is a directory, not a .tflite file")
        if info.get("size") is None:
            raise BadFileError("the store does not say how large it is", hint="download it first")
        self.size = int(info["size"])
        self._mark = _mark(info)

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        """The bytes; what the store says of the file is compared when they have come."""
        starts = [start for start, _ in pieces]
        ends = [start + count for start, count in pieces]
        answers = self._call("cat_ranges", [self._path] * len(pieces), starts, ends)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        if _mark(self._info()) != self._mark:
            raise BadFileError("the file has changed while it was read", hint="try again")
        return [bytes(answer) for answer in answers]

    def _info(self) -> Any:
        self._system.invalidate_cache(self._parent())  # else it says what it said before
        return self._call("info", self._path)

    def _parent(self) -> str:
        return str(self._system._parent(self._path))

    def _call(self, name: str, *arguments: Any) -> Any:
        if not self._system.async_impl:
            return getattr(self._system, name)(*arguments)
        from fsspec.asyn import sync

        return sync(
            self._system.loop, getattr(self._system, f"_{name}"), *arguments, timeout=_SECONDS
        )


def _mark(info: Any) -> tuple[str, ...]:
    return (str(info.get("size")), *(str(info.get(name)) for name in _MARKS))


def open_storage(address: str) -> Store:
    """The file at an address."""
    from fsspec.core import url_to_fs

    return Store(*url_to_fs(address))
