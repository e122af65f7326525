"""Signals as exceptions, so that everything is cleaned up on the way out.

SIGTERM, SIGHUP and Ctrl-C end the children at once and raise ``Stopped``; the exit code is 128 and
the signal's number, as shells have it: 143, 129, 130.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType

from tflrepair import opening

# Cleaning up takes milliseconds. A thread inside native code could hold us up for ever.
_PATIENCE = 5.0


_stderr = 2
last_words_json = b""  # what standard output gets before a bus error ends us, if JSON was asked for
CUT_SHORT = "a file was cut short while it was read"
_asked: list[Stopped] = []  # the signal that asked us to end
_keep: list[object] = []  # what the system calls must not be collected


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
    global _stderr
    with contextlib.suppress(OSError):
        _stderr = os.dup(2)  # where standard error points before native logs are put aside
    opening.before_mapping = say_before_bus_errors
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


def say_before_bus_errors() -> None:
    """Have SIGBUS, which a map of a file that is cut short raises, end us with an error of ours.

    Python's own handlers run only once the failing instruction is over, which it never is. So this
    one is the system's, and all that it does is to say why and leave: nothing goes on after it.
    """
    import ctypes

    if not hasattr(signal, "SIGBUS") or _keep:
        return

    def last_words(_number: int) -> None:
        from tflrepair.processes import children

        with contextlib.suppress(OSError):
            os.write(_stderr, f"tflrepair: {CUT_SHORT}\n".encode())
            os.write(1, last_words_json)
        children.end_all(stop=True)
        os._exit(2)

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(last_words)
    _keep.append(handler)
    ctypes.CDLL(None).signal(int(signal.SIGBUS), handler)
