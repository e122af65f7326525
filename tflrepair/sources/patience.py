"""How long a server may take, and how long it may keep us computing, for what it sends.

A server that sends byte by byte is never silent, one that sends empty answers keeps a processor
busy: so both are measured against the bytes that came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from tflrepair.errors import BadFileError

T = TypeVar("T")

SLOWEST = 100_000  # bytes a second, below which an answer takes too long
_ANSWER = 30.0  # seconds for any answer, however short
_WHOLE, _AVERAGE = 120.0, 10_000  # seconds for a file, and bytes a second that prolong them
_COMPUTING, _WORTH = 1.0, 50e6  # seconds of processor time, and bytes a second that prolong them
_LOOK = 0.1  # seconds from look to look
_HINT = "download it first"


class Patience:
    """With one server, for one file."""

    def __init__(self) -> None:
        self._waited = 0.0
        self._got = 0

    def got(self, count: int) -> None:
        """So many bytes came."""
        self._got += count

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """``work``, several answers perhaps; the seconds count for the file.

        Raises:
            BadFileError: all of them together took too long.
        """
        began = time.monotonic()
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
                seconds = self._waited + time.monotonic() - began
                if seconds > _WHOLE + self._got / _AVERAGE:
                    raise BadFileError(
                        f"the server sent {self._got:,} bytes in {seconds:.0f} seconds; after "
                        f"{_WHOLE:.0f} seconds it must have sent {_AVERAGE:,} a second",
                        hint=_HINT,
                    )
            return task.result()
        finally:
            task.cancel()
            self._waited += time.monotonic() - began

    async def answer(self, work: Coroutine[Any, Any, T], count: int) -> T:
        """``work``, one answer of ``count`` bytes or more.

        Raises:
            BadFileError: it took too long, or too much of the processor.
        """
        began, computed, had = time.monotonic(), time.thread_time(), self._got
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
                came = self._got - had  # others that are under way are counted, too
                allowed = _ANSWER + max(count, came) / SLOWEST
                if time.monotonic() - began > allowed:
                    raise BadFileError(
                        f"the server did not send {count:,} bytes within {allowed:.0f} seconds",
                        hint=_HINT,
                    )
                if time.thread_time() - computed > _COMPUTING + came / _WORTH:
                    raise BadFileError(
                        f"the server keeps us busy for more than {_COMPUTING:g} s of processor "
                        f"time, and has sent {came:,} bytes of the file"
                    )
            return task.result()
        finally:
            task.cancel()
