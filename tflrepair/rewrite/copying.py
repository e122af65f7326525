"""Old bytes into a new file, by the kernel where it can.

``copy_file_range`` (Linux) copies from one open file to another without a detour through this
process; on file systems that share extents it copies nothing at all. Elsewhere, and between file
systems that refuse it, the bytes go through memory.
"""

from __future__ import annotations

import errno
import io
import os
from dataclasses import dataclass
from typing import BinaryIO

from tflrepair.errors import BadFileError
from tflrepair.graph.model import Model
from tflrepair.sources.pages import Pages
from tflrepair.sources.source import FileSource

# man 2 copy_file_range: the two files, or their kinds, do not go together, or there is no such call
_REFUSED = (
    errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF,
    errno.ETXTBSY,
)  # fmt: skip


@dataclass(frozen=True)
class OldBytes:
    """The bytes ``start`` to ``end`` of an old file."""

    model: Model
    start: int
    end: int


def copy(old: OldBytes, stream: BinaryIO) -> int:
    """Write ``old`` where ``stream`` is; the number of bytes.

    Raises:
        BadFileError: the old file has been cut short since it was opened.
        OSError: the new one cannot be written.
    """
    done = _by_kernel(old, stream)
    start = old.start + done
    if start < old.end:
        stream.write(old.model.read(start, old.end - start))
    return old.end - old.start


def _by_kernel(old: OldBytes, stream: BinaryIO) -> int:
    """How many bytes the kernel has copied; 0 where it does not."""
    pages = old.model.source
    source = pages.source if isinstance(pages, Pages) else None
    if not (hasattr(os, "copy_file_range") and isinstance(source, FileSource)):
        return 0  # in memory, far away, or inside of another file
    try:
        target = stream.fileno()
    except (AttributeError, io.UnsupportedOperation):  # a stream in memory
        return 0
    position = stream.tell()
    stream.flush()
    done, count = 0, old.end - old.start
    while done < count:
        try:
            copied = os.copy_file_range(
                source.descriptor, target, count - done, old.start + done, position + done
            )
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            break
        if not copied:
            raise BadFileError(
                "was cut short while it was copied",
                where=old.model.path,
                hint="nothing was written; try again when nobody else writes to it",
            )
        done += copied
    # What is advised away and not on the disk yet, the kernel begins to write: now, beside our
    # work, and not all at once when ``files`` waits for it. It drops nothing that it still writes.
    os.posix_fadvise(target, position, done, os.POSIX_FADV_DONTNEED)
    stream.seek(position + done)
    return done
