"""How every child of ours begins: ``python launch.py PARENT MEMORY SCRIPT ARGUMENT...``.

Sees to it that the process ends with its parent, leaves no core file and takes no more than MEMORY
bytes (0: what the machine has), then runs SCRIPT. A file of its own that needs Python 3.9 and
nothing else: it is handed by path to interpreters that do not have tflrepair.
"""

from __future__ import annotations

import atexit
import gc
import os
import runpy
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SYNCHRONIZE = 0x00100000  # Windows: the right to wait for a process
_FOREVER = 0xFFFFFFFF


def main() -> None:
    parent, memory, script = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    end_with(parent)
    limit(memory)
    sys.argv = sys.argv[3:]
    gc.set_threshold(50_000)  # what is made while modules are loaded stays, and has no circles
    sys.path.pop(0)  # this file's folder, whose modules could shadow others
    runpy.run_path(script, run_name="__main__")
    leave()


def leave() -> None:
    """End well. Taking TensorFlow to pieces, module by module, would cost 0.7 s more."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(0)


def end_with(parent: int) -> None:
    """Have this process end when its parent does, however that ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before that call
            os._exit(1)
        return
    watch = _watch_windows if sys.platform == "win32" else _watch_posix
    threading.Thread(target=watch, args=(parent,), daemon=True).start()


def _watch_posix(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _watch_windows(parent: int) -> None:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, parent)
    if handle:
        kernel.WaitForSingleObject(handle, _FOREVER)
    os._exit(1)


def limit(memory: int) -> None:
    """No core files, and no more memory than ``memory`` bytes, or than the machine has if 0."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))


def limit_time(seconds: float) -> None:
    """End this process once it has computed for ``seconds`` more (0: no limit): SIGPROF.

    The time of its own, not of the clock: a busy machine makes no file look endless. For scripts
    that have tflrepair; ``execution/worker.py``, which may not, has the same.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
