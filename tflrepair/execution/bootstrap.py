"""How every child process of ours begins: ``python bootstrap.py SCRIPT ARGUMENT ...``.

A file of its own that needs Python 3.9 and nothing else: it is handed by path, also to interpreters
that do not have tflrepair. It sets limits, and runs SCRIPT as the main program.
"""

from __future__ import annotations

import os
import runpy
import sys


def limit() -> None:
    """No core files, and not more memory than the machine has.

    A model may ask for any amount of memory: that is to end this process, not the machine.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or memory < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))


if __name__ == "__main__":
    del sys.path[0], sys.argv[0]  # this file's folder, whose modules could shadow others
    limit()
    runpy.run_path(sys.argv[0], run_name="__main__")
