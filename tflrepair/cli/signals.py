"""Signals as exceptions, so that everything is cleaned up on the way out.

SIGTERM, SIGHUP and Ctrl-C end the children at once and raise ``Stopped``; the exit code is 128 and
the signal's number, as shells have it: 143, 129, 130.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

# Cleaning up takes milliseconds. A thread inside native code could hold us up for ever.
_PATIENCE = 5.0

_asked: list[Stopped] = []  # the signal that asked us to end


class Stopped(BaseException):
    """A signal asked us to end. No Exception: nothing may take it for an error of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


def catch() -> None:
    """Turn the signals that ask a process to end into ``Stopped`` from now on.

    What the caller had ignored (nohup ignores SIGHUP) stays so.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    tell = sys.unraisablehook

    def quietly(raised: sys.UnraisableHookArgs) -> None:
        if not isinstance(raised.exc_value, Stopped):  # one in a finalizer is not lost: ``again``
            tell(raised)

    sys.unraisablehook = quietly


def _stop(number: int, _frame: FrameType | None) -> None:
    from tflrepair.processes import children

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # one is enough; timeout(1) sends two
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    children.end_all(stop=True)
    watchdog = threading.Timer(_PATIENCE, os._exit, [128 + number])
    watchdog.daemon = True
    watchdog.start()
    _asked.append(Stopped(number))
    raise _asked[0]


def again() -> None:
    """Raise ``Stopped`` if a signal has come, also where Python threw the exception away.

    It does so in finalizers; what fails afterwards fails only because we are about to end.
    """
    if _asked:
        raise _asked[0]
