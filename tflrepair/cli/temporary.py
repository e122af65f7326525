"""Temporary files of libraries, which go with the command.

TensorFlow writes Python files while it traces (autograph/pyct/loader.py). It removes those at the
end of the process, unless the disk was full; what Python compiled of them (__pycache__), never.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def temporary_files_aside() -> Iterator[None]:
    """Have libraries write theirs into a folder that goes with the block, if one can be made."""
    from contextlib import ExitStack, suppress

    from tflrepair.errors import UserError
    from tflrepair.leftovers import others_in, temporary_folder

    with ExitStack() as stack:
        with suppress(UserError):  # who needs one says so
            stack.enter_context(others_in(stack.enter_context(temporary_folder())))
        yield
