"""The child process that allocates a model in TFLM's interpreter: ``arena_worker.py MODEL``.

Needs the package tflite-micro and nothing of tflrepair. The interpreter prints its records, and
why it takes no model. Exit code 3: it does not take this one.
"""

from __future__ import annotations

import sys

# More than a microcontroller has. The package's own choice, ten times the file, is too little for
# a small file with large activations; memory that is not used is never really taken.
ARENA = 256 << 20
REFUSED = 3

if __name__ == "__main__":
    from tflite_micro import runtime

    try:
        interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=ARENA)
    except RuntimeError as error:  # the only kind that its wrapper raises for a model
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    interpreter.print_allocations()
