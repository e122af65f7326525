"""A path or an address, opened."""

from __future__ import annotations

import os

from tflrepair.errors import BadFileError, UserError
from tflrepair.opening import open_regular
from tflrepair.sources.pages import Pages
from tflrepair.sources.source import ByteSource, FileSource, MemorySource

# Larger files stay on the disk. Below it, a copy costs some 10 ms and cannot change any more.
WHOLE_BELOW = 64 << 20


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether it is one that fsspec reads (``https://``, ``s3://``, ``gs://``), and no path."""
    return isinstance(path, str) and "://" in path


def check_here(path: object) -> None:
    """Raises UserError for an address, where TensorFlow or Keras are to read the file."""
    if isinstance(path, str) and is_address(path):
        raise UserError(
            "an address cannot be converted: TensorFlow and Keras read files",
            where=path,
            hint="download it first, and give the folder or the file",
        )


def open_source(path: str | os.PathLike[str]) -> ByteSource:
    """The bytes of a file here or elsewhere: in memory, or read in pieces if it is large.

    Raises:
        BadFileError: there is no such file, it is no regular one, it is empty, or cannot be read.
        UnsupportedError: a package is missing that reads such an address.
    """
    if is_address(path):
        from tflrepair.sources.remote import open_address

        return open_address(str(path))
    name = os.fspath(path)
    with open_regular(name) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            if size >= WHOLE_BELOW:
                return Pages(FileSource(os.fdopen(os.dup(stream.fileno()), "rb")))
            data = stream.read()
        except OSError as error:
            raise BadFileError(f"cannot be read: {error.strerror}", where=name) from None
    if not data:
        raise BadFileError("is empty (0 bytes)", where=name)
    return MemorySource(data)
