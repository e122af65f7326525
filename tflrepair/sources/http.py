"""A file on a web server, by range requests (RFC 9110, section 14).

fsspec keeps the connections. Each answer is looked at here: that it is the range that was asked
for, and that ETag or date and the length are those of the first answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.sources.patience import Patience
from tflrepair.sources.source import Piece

HEAD = 1 << 16  # bytes that are asked for first
MOST_WHOLE = 64 << 20  # what a server that gives no ranges may send
_CONNECT, _SILENCE = 10.0, 20.0  # seconds until there is a connection, and between two parts
_AT_ONCE = 8
_REDIRECTS = 10
_AGAIN = (0.3, 1.0)  # seconds before another try where the server was busy or hung up
_BUSY = frozenset((429, 500, 502, 503, 504))
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


class WebServer:
    """An address, and what its first answer said."""

    def __init__(self, system: Any, address: str) -> None:
        self._system = system
        self._address = system.encode_url(address)
        self._mark: tuple[str, str] | None = None
        self._head = b""
        self._patience = Patience()
        self.size = 0

    def begin(self) -> bytes | None:
        """Ask for the first bytes: how large the file is. All of it where there are no ranges."""
        status: int
        data: bytes
        status, data = self._wait(self._first())
        if status == 206:
            self._head = data
            return None
        return data

    def fetch(self, pieces: Sequence[Piece]) -> list[bytes]:
        missing = [piece for piece in pieces if sum(piece) > len(self._head)]
        found = iter(self._wait(self._several(missing)) if missing else ())
        return [
            next(found) if start + count > len(self._head) else self._head[start : start + count]
            for start, count in pieces
        ]

    def _wait(self, coroutine: Any) -> Any:
        from fsspec.asyn import sync

        async def run() -> Any:
            return await self._patience.whole(coroutine)

        return sync(self._system.loop, run)

    async def _several(self, pieces: Sequence[Piece]) -> list[bytes]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(piece: Piece) -> bytes:
            async with gate:
                return await self._piece(*piece)

        tasks = [asyncio.ensure_future(one(piece)) for piece in pieces]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _piece(self, start: int, count: int) -> bytes:
        status, data = await self._again(start, count)
        if status != 206:
            raise _refused(status)
        return data

    async def _first(self) -> tuple[int, bytes]:
        status, data = await self._again(0, HEAD)
        if status == 416:  # there is no first byte
            return 200, b""
        if status not in (200, 206):
            raise _refused(status)
        return status, data

    async def _again(self, start: int, count: int) -> tuple[int, bytes]:
        """``_ask``, twice more where the server was busy or the connection was lost."""
        import aiohttp

        for pause in _AGAIN:
            try:
                status, data = await self._ask(start, count)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
                status, data = 503, b""
            if status not in _BUSY:
                return status, data
            await asyncio.sleep(pause)
        return await self._ask(start, count)

    async def _ask(self, start: int, count: int) -> tuple[int, bytes]:
        """Status and bytes of one answer; no bytes where there was nothing to be read."""
        return await self._patience.answer(self._get(start, count), count)

    async def _get(self, start: int, count: int) -> tuple[int, bytes]:
        import aiohttp

        session = await self._system.set_session()
        request = session.get(
            self._address,
            headers={"Range": f"bytes={start}-{start + count - 1}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENCE),
            max_redirects=_REDIRECTS,
        )
        try:
            async with request as answer:
                if answer.status == 206:
                    self._check(answer.headers, start, count)
                    return 206, await self._body(answer, count)
                if answer.status == 200:
                    if self._mark is not None:
                        raise _changed("it answered without ranges")
                    return 200, await self._all_of(answer)
                return answer.status, b""
        except aiohttp.TooManyRedirects:
            raise BadFileError(f"the server redirects more than {_REDIRECTS} times") from None
        except aiohttp.NonHttpUrlRedirectClientError as error:
            raise BadFileError(
                f"the server redirects to {error}, which is not on the web"
            ) from None

    def _check(self, headers: Any, start: int, count: int) -> None:
        """Raises BadFileError if an answer is of another file, or another range of it."""
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if found is None or headers.get("Content-Encoding", "identity") != "identity":
            raise BadFileError("the server does not say which bytes it sent")
        first, last, size = map(int, found.groups())
        mark = headers.get("ETag", ""), headers.get("Last-Modified", "")
        if self._mark is None:
            self._mark, self.size = mark, size
        elif size != self.size:
            raise _changed(f"it had {self.size} bytes and has {size} now")
        elif (mark[0] or self._mark[0]) and mark[0] != self._mark[0]:
            raise _changed(f"its ETag was {self._mark[0] or 'none'} and is {mark[0] or 'none'} now")
        elif not mark[0] and mark[1] != self._mark[1]:
            raise _changed(f"it was of {self._mark[1] or 'no date'} and is of {mark[1]} now")
        if first != start or last != min(start + count, size) - 1:
            raise BadFileError(
                f"the server sent bytes {first} to {last}, and was asked for {count} at {start}"
            )

    async def _body(self, answer: Any, most: int) -> bytes:
        """The bytes of an answer. Raises BadFileError if there are more than ``most``."""
        parts, size = [], 0
        async for part in answer.content.iter_chunked(1 << 18):
            size += len(part)
            self._patience.got(len(part))
            if size > most:
                answer.close()
                raise BadFileError(f"the server sent more than the {most} bytes it was asked for")
            parts.append(part)
        return b"".join(parts)

    async def _all_of(self, answer: Any) -> bytes:
        """A whole file, from a server that gives no ranges."""
        length = answer.content_length
        large = length is not None and length > MOST_WHOLE
        if not large:
            with contextlib.suppress(BadFileError):
                return await self._body(answer, MOST_WHOLE)
        answer.close()  # what is still under way is not waited for
        size = f"{length} bytes" if large else f"more than {MOST_WHOLE} bytes"
        raise BadFileError(
            f"the server does not give parts of a file, and this one has {size}",
            hint=f"download it first (without ranges, up to {MOST_WHOLE >> 20} MB are read)",
        )


def _changed(how: str) -> BadFileError:
    return BadFileError(f"the file has changed while it was read: {how}", hint="try again")


def _refused(status: int) -> BadFileError:
    if status in (404, 410):
        return BadFileError(f"there is no such file (HTTP {status})")
    if status in (401, 403, 407):
        return BadFileError(f"may not be read (HTTP {status})")
    return BadFileError(f"the server answered with HTTP {status}", hint="try again later")


def open_http(address: str) -> WebServer | bytes:
    """The file at an address, or its bytes where the server gives no ranges."""
    from fsspec.implementations.http import HTTPFileSystem

    server = WebServer(HTTPFileSystem(), address)
    data = server.begin()
    return server if data is None else data
