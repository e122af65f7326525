"""python -m tflrepair, and the console script."""

import atexit
import gc
import os
import sys
from typing import NoReturn


def main() -> None:
    """Run the command line."""
    # What is made while modules are loaded stays; looking for cycles in it, again and again, takes
    # a tenth of the time of a scan. ``cli`` switches the collector on when the work begins.
    gc.disable()
    try:
        from tflrepair.cli import main as run

        run()
    except KeyboardInterrupt:  # while modules were loaded; afterwards ``cli.signals`` has it
        sys.exit(130)
    except SystemExit as leaving:
        _leave(int(leaving.code or 0))


def _leave(code: int) -> NoReturn:
    """End as Python does, but do not take all that was loaded to pieces.

    That is a twentieth of the time of a scan; of TensorFlow, 0.7 s.
    """
    import threading

    threading._shutdown()  # type: ignore[attr-defined]  # waits for those that clean up
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    main()
