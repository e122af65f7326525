"""Files on servers, read in pieces, by the protocols that fsspec knows.

Of a model of gigabytes a scan reads the tables, which are a small part of it. What is read at
different times must be of one and the same file: a server that says that the file is another one
now is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError, UserError
from tflrepair.sources.pages import Pages
from tflrepair.sources.source import ByteSource, MemorySource, Piece, whole

# Of a small file everything is read at once: that is one answer instead of several.
SMALL = 1 << 20
_LARGEST_ANSWER = 16 << 20
_MOST_ANSWERS = 50_000  # a model of 2 GB takes some hundreds
_AT_ONCE = 256  # pieces that are asked for before what came is looked at

T = TypeVar("T")


class Server(Protocol):
    """A file on a server. Any exception may be raised; ``RemoteSource`` makes ours of them."""

    size: int

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        """The bytes of each piece. Raises BadFileError if the file is another one now."""
        ...


class RemoteSource:
    """A file on a server, of which one knows that it gives ranges."""

    grain = 1 << 10

    def __init__(self, server: Server) -> None:
        self._server = server
        self._answers = 0
        self.size = server.size

    def read(self, start: int, count: int) -> memoryview:
        return self.read_many([(start, count)])[0]

    def read_many(self, pieces: Sequence[Piece]) -> list[memoryview]:
        found: list[memoryview] = []
        for first in range(0, len(pieces), _AT_ONCE):
            found += self._several(pieces[first : first + _AT_ONCE])
        return found

    def _several(self, pieces: Sequence[Piece]) -> list[memoryview]:
        parts = [_parts(*piece) for piece in pieces]
        flat = [part for row in parts for part in row]
        self._answers += len(flat)
        if self._answers > _MOST_ANSWERS:
            raise BadFileError(
                f"what is to be read lies in more than {_MOST_ANSWERS} pieces of the file",
                hint="download it first",
            )
        answers = iter(ours(lambda: self._server.fetch(flat)))
        found = []
        for (start, count), row in zip(pieces, parts, strict=True):
            some = [next(answers) for _ in row]
            data = some[0] if len(some) == 1 else b"".join(some)
            found.append(whole(memoryview(data), start, count))
        return found


def _parts(start: int, count: int) -> list[Piece]:
    """A piece in answers of a size that comes in a minute."""
    end = start + count
    return [(at, min(_LARGEST_ANSWER, end - at)) for at in range(start, end, _LARGEST_ANSWER)] or [
        (start, 0)
    ]


def open_address(address: str) -> ByteSource:
    """The file at an address, all of it if it is small.

    Raises:
        BadFileError: there is no such file, it is empty, the server refuses it, cannot be reached
            or does not answer in time; or it gives no ranges, and the file is large.
        UnsupportedError: a package is missing that reads such an address.
        UserError: nothing reads such an address.
    """
    server = ours(lambda: _server(address))
    if isinstance(server, bytes):
        data = server
    elif server.size > SMALL:
        return Pages(RemoteSource(server))
    else:
        source = RemoteSource(server)
        data = bytes(source.read(0, source.size)) if source.size else b""
    if not data:
        raise BadFileError("is empty (0 bytes)")
    return MemorySource(data)


def _server(address: str) -> Server | bytes:
    try:
        import fsspec
    except ImportError:
        raise UnsupportedError(
            "addresses are read by the package fsspec, which is not installed",
            hint="pip install 'tflrepair[remote]'",
        ) from None
    scheme = address.split("://")[0].split("::")[0]
    try:
        if scheme in ("http", "https"):
            from tflrepair.sources.http import open_http

            return open_http(address)
        from tflrepair.sources.storage import open_storage

        return open_storage(address)
    except ImportError as error:
        hint = "pip install 'tflrepair[remote]'" if scheme in ("http", "https") else str(error)
        raise UnsupportedError(f"{scheme}:// needs a package more", hint=hint) from None
    except ValueError as error:
        if scheme in fsspec.available_protocols():
            raise
        raise UserError(
            f"{scheme}:// is no protocol that fsspec knows: {error}",
            hint="give a path, or an address that begins with https://, s3:// or gs://",
        ) from None


def ours(work: Callable[[], T]) -> T:
    """What ``work`` gives. Whatever a file system raises becomes an error of ours.

    Raises:
        BadFileError: it failed.
    """
    try:
        return work()
    except TflRepairError:
        raise
    except FileNotFoundError:
        raise BadFileError("there is no such file") from None
    except PermissionError:
        raise BadFileError("may not be read: the server wants to know who asks") from None
    except TimeoutError as error:
        raise BadFileError(
            f"the server did not answer in time{_said(error)}",
            hint="try again, or download it first",
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # every file system has errors of its own
        raise BadFileError(f"cannot be read: {type(error).__name__}{_said(error)}") from None


def _said(error: Any) -> str:
    text = " ".join(str(error).split())[:200]
    return f": {text}" if text else ""
