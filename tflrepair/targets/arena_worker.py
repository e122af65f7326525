"""The child process that allocates a model in TFLM's interpreter: ``arena_worker.py MODEL``.

Needs the package tflite-micro and nothing of tflrepair. The interpreter prints its records.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from tflite_micro import runtime

    runtime.Interpreter.from_file(sys.argv[1]).print_allocations()
