"""One function over many items in several processes; an item that ends a process stops no other."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tflrepair.processes.launch import end_with

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 8  # items for each process that wait for their turn: enough that none stands idle


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> Iterator[tuple[Item, Result | None]]:
    """``function`` of each item, in the order of ``items``, each as soon as it is its turn.

    Args:
        function: of the top level of a module, as are ``Item`` and ``Result`` picklable.
        items: taken a few at a time.
        jobs: how many processes work at once.

    Yields:
        (item, result), or (item, None) where the item ended its process: a crash in native code,
        or no memory left.
    """
    waiting = iter(items)
    while True:
        some = list(itertools.islice(waiting, 1))
        if not some:
            return
        left = yield from _until_broken(function, itertools.chain(some, waiting), jobs)
        for item in left:  # any of them may have been at fault: one process for each
            yield item, _alone(function, item)


def _until_broken(
    function: Callable[[Item], Result], items: Iterator[Item], jobs: int
) -> Generator[tuple[Item, Result | None], None, list[Item]]:
    """As ``in_order``; returns the items that were under way when a process ended."""
    pending: deque[tuple[Item, Future[Result]]] = deque()
    with _Pool(jobs) as pool:
        while True:
            try:
                for item in itertools.islice(items, jobs * _AHEAD - len(pending)):
                    pending.append((item, Future()))  # submitting may fail, too
                    pending[-1] = (item, pool.submit(function, item))
                if not pending:
                    return []
                result = pending[0][1].result()
            except BrokenProcessPool:
                return [item for item, _ in pending]
            yield pending.popleft()[0], result


def _alone(function: Callable[[Item], Result], item: Item) -> Result | None:
    with _Pool(1) as pool:
        try:
            return pool.submit(function, item).result()
        except BrokenProcessPool:
            return None


class _Pool:
    """A ProcessPoolExecutor whose processes end at once when the block is left by an exception."""

    def __init__(self, jobs: int) -> None:
        # "spawn" is the same on every system, and its parent is this process (``end_with``)
        context = multiprocessing.get_context("spawn")
        self._before = set(multiprocessing.active_children())
        self._pool = ProcessPoolExecutor(jobs, context, _begin, (os.getpid(),))

    def __enter__(self) -> ProcessPoolExecutor:
        return self._pool

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            for process in set(multiprocessing.active_children()) - self._before:
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _begin(parent: int) -> None:
    """In each process: the parent alone answers Ctrl-C, and its end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)
