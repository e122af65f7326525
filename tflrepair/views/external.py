"""Values in files beside the model (Tensor.external_buffer, Model.external_buffers).

A group's name is a path, which LiteRT takes from the folder of the model; ``offset`` counts from
the start of that file (weight_loader/external_weight_loader_litert.cc of LiteRT). A path that
leads out of the folder is not followed here: a model that somebody else made could have us read
any file.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.graph.buffers import ExternalBuffer
from tflrepair.graph.model import Model
from tflrepair.opening import open_regular
from tflrepair.sources.opened import open_source
from tflrepair.sources.source import ByteSource, FileSource

_PLAIN = ("", "unpacked")  # what Tensor's own type says; others belong to one accelerator


def has_folder(model: Model) -> bool:
    """Whether there is anything beside the model: not if it was bytes, or inside an archive."""
    return model.path is not None and "!/" not in model.path


def external_bytes(model: Model, number: int) -> memoryview:
    """The bytes of external buffer ``number`` (its id, not its place in the list).

    Raises:
        BadFileError: there is no such buffer, or it is beyond the end of its file.
        UnsupportedError: the file is missing, cannot be read or lies elsewhere; or its packing is
            one that only an accelerator knows.
    """
    row = _row(model, number)
    if row.packing not in _PLAIN:
        raise UnsupportedError(f"its bytes are packed as {row.packing!r}, which is not known")
    return external_source(model, number).read(row.offset, row.length)


def external_source(model: Model, number: int) -> ByteSource:
    """The file that external buffer ``number`` is in, which has as many bytes as it needs.

    Raises:
        BadFileError: there is no such buffer, or it is beyond the end of its file.
        UnsupportedError: the file is missing, cannot be read or lies elsewhere.
    """
    row = _row(model, number)
    try:
        source = _opened(model, row.name)
    except TflRepairError as error:
        raise UnsupportedError(
            f"its bytes are in another file, {row.name!r}: {error.message}",
            where=error.where,
            hint=error.hint or "put the file beside the model",
        ) from None
    if row.offset + row.length > source.size:
        raise BadFileError(
            f"its {row.length} bytes at byte {row.offset} of {row.name!r} end behind that file of "
            f"{source.size} bytes"
        )
    return source


def _row(model: Model, number: int) -> ExternalBuffer:
    row = model.external_buffers.get(number)
    if row is None:
        raise BadFileError(f"there is no external buffer {number}")
    return row


def _opened(model: Model, name: str) -> ByteSource:
    if model.path is None or not has_folder(model):
        raise UnsupportedError("the model is no file of its own, so there is nothing beside it")
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    out = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor or ".." in parts
    if out or not name or "://" in name or "\0" in name:
        raise UnsupportedError("that leads out of the folder of the model, and is not followed")
    if model.address:
        return open_source(f"{model.address.split('?')[0].rpartition('/')[0]}/{name}")
    path = Path(model.path).parent / name
    folder = Path(model.path).parent.resolve()
    if not path.resolve().is_relative_to(folder):
        raise UnsupportedError("that leads out of the folder of the model, and is not followed")
    return FileSource(open_regular(os.fspath(path)))
