"""HDF5 files that may be hostile, read with libhdf5: runs in the child process only.

Only what lies inside the file is read: soft and external links, external storage and virtual
datasets are refused, and so is a dataset that declares far more bytes than the file stores for it,
or one in chunks that would have to be unpacked whole. What Keras writes has none of these.

A file has a thousand objects: they are judged by h5py's low-level API, which takes a third of the
time of its objects.
"""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

from tflrepair.errors import BadFileError
from tflrepair.leftovers import room, temporary_file
from tflrepair.weights.types.pieces import selections
from tflrepair.wording import plural

if TYPE_CHECKING:
    import h5py

# deflate cannot pack better than 1032:1 (https://zlib.net/zlib_tech.html)
_BEST_PACKING = 1032
_LARGEST_CHUNK = 32 << 20  # bytes; h5py makes chunks of at most 1 MB by itself
_MOST_OBJECTS = 15_000  # the largest Keras applications have some 5000
_DEEPEST = 64
# the attributes that Keras's formats use; others are not touched
_WANTED = ("name", "weight_names", "layer_names", "keras_version", "backend", "model_config",
           "training_config")  # fmt: skip


@dataclass(frozen=True)
class H5Array:
    """A dataset that has been found harmless."""

    dataset: h5py.Dataset
    dtype: str

    @property
    def nbytes(self) -> int:
        return int(prod(self.dataset.shape) * self.dataset.dtype.itemsize)

    def pieces(self, size: int) -> Iterator[bytes]:
        import numpy as np

        for where in selections(self.dataset.shape, self.dataset.dtype.itemsize, size):
            array = np.asarray(self.dataset[where])
            yield np.ascontiguousarray(array).tobytes()


class H5Reader:
    """An open HDF5 file, or the HDF5 member of a ZIP archive."""

    def __init__(self, path: str, member: str | None) -> None:
        import h5py

        source: Any = path if member is None else _unpacked(path, member)
        self._file = h5py.File(source, "r", rdcc_nbytes=_LARGEST_CHUNK, locking=False)

    def close(self) -> None:
        self._file.close()

    def listing(self) -> dict[str, Any]:
        """``groups``: attributes by path; ``arrays``: (path, shape, dtype); ``skipped``: paths."""
        import h5py

        groups: dict[str, dict[str, Any]] = {}
        arrays: list[tuple[str, list[int], str]] = []
        skipped: list[str] = []
        seen: set[Any] = set()
        todo: list[tuple[str, h5py.h5g.GroupID]] = [("", self._group(""))]
        while todo:
            path, group = todo.pop()
            address = h5py.h5o.get_info(group).addr
            if address in seen or path.count("/") > _DEEPEST:
                raise BadFileError(f"group {path!r} contains itself or is nested too deeply")
            seen.add(address)
            groups[path] = _attributes(group)
            for name in group:
                if len(arrays) + len(seen) + len(todo) + len(skipped) > _MOST_OBJECTS:
                    raise BadFileError(f"holds more than {_MOST_OBJECTS} objects")
                inner = f"{path}/{_decoded(name)}" if path else _decoded(name)
                child = _child(group, name, inner)
                if isinstance(child, h5py.h5g.GroupID):
                    todo.append((inner, child))
                elif isinstance(child, h5py.h5d.DatasetID):
                    dtype = _dtype(inner, child)
                    if dtype is None:
                        skipped.append(inner)
                    else:
                        arrays.append((inner, [int(n) for n in child.shape], dtype))
        return {"groups": groups, "arrays": arrays, "skipped": skipped}

    def _group(self, path: str) -> h5py.h5g.GroupID:
        import h5py

        return h5py.h5g.open(self._file.id, path.encode() or b"/")

    def array(self, path: str) -> H5Array:
        """The dataset at ``path``, judged once more: the file may have changed."""
        import h5py

        group, _, name = path.rpartition("/")
        dataset = _child(self._group(group), name.encode(), path)
        dtype = _dtype(path, dataset)
        if dtype is None:
            raise BadFileError(f"{path!r} holds no numbers")
        stored_as = "|V2" if dtype == "bfloat16" else str(dataset.dtype.str)
        return H5Array(h5py.Dataset(dataset, readonly=True), stored_as)


def _unpacked(path: str, member: str) -> Any:
    """A member of an archive: where it lies, or unpacked into a file without a name.

    The parent has judged its size.
    """
    copy = temporary_file()  # stays open as long as the file
    with zipfile.ZipFile(path) as archive, room():
        info = archive.getinfo(member)
        with archive.open(info) as stream:  # checks the member's own head
            if info.compress_type == zipfile.ZIP_STORED:
                return Window(path, info)
            shutil.copyfileobj(stream, copy, 1 << 20)
    copy.seek(0)
    return copy


class Window(io.RawIOBase):
    """The bytes of a member that is not packed."""

    def __init__(self, path: str, info: zipfile.ZipInfo) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 - stays open
        self._file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", self._file.read(4))
        self._start = info.header_offset + 30 + name + extra
        self._size = info.file_size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        self._file.seek(self._start + self._at)
        got = self._file.readinto(target) or 0
        self._at += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()


def _decoded(name: bytes) -> str:
    """The name of a link. One that is not UTF-8 is no name that Keras writes."""
    return name.decode("utf-8", "backslashreplace")


def _child(group: h5py.h5g.GroupID, name: bytes, path: str) -> Any:
    import h5py

    kind = group.links.get_info(name).type
    if kind != h5py.h5l.TYPE_HARD:
        what = "SoftLink" if kind == h5py.h5l.TYPE_SOFT else "ExternalLink"
        raise BadFileError(
            f"{path!r} is a {what}, which may lead anywhere; Keras writes none: "
            "copy the weights to a plain file if you trust it"
        )
    return h5py.h5o.open(group, name)


def _dtype(path: str, dataset: h5py.h5d.DatasetID) -> str | None:
    """numpy's name of the element type; None for what holds no numbers.

    Raises:
        BadFileError: reading it would leave the file or need far more memory than it has bytes.
    """
    import h5py

    how, layout = dataset.get_create_plist(), h5py.h5d
    if how.get_external_count() or how.get_layout() == layout.VIRTUAL:
        raise BadFileError(f"the data of {path!r} lies outside the file")
    stored_as, shape = dataset.dtype, dataset.shape  # h5py makes them anew each time
    marked = h5py.h5a.exists(dataset, b"dtype") and h5py.Dataset(dataset).attrs["dtype"]
    is_bfloat16 = isinstance(marked, str) and marked == "bfloat16"
    dtype = "bfloat16" if is_bfloat16 else _name(stored_as)
    if stored_as.kind not in "biufcV" or shape is None:
        return None
    if stored_as.kind == "V" and not (is_bfloat16 and stored_as.itemsize == 2):
        return None
    declared = prod(shape) * stored_as.itemsize
    stored = dataset.get_storage_size()
    packing = _BEST_PACKING if _is_packed(how) else 1
    if declared > stored * packing:
        raise BadFileError(
            f"{path!r} declares {plural(declared, 'byte')}, the file stores {stored} for it"
        )
    chunks = how.get_chunk() if how.get_layout() == layout.CHUNKED else ()
    chunk = prod(chunks) * stored_as.itemsize
    if chunk > _LARGEST_CHUNK:
        raise BadFileError(
            f"{path!r} is stored in chunks of {plural(chunk, 'byte')}; at most "
            f"{_LARGEST_CHUNK} are read: "
            "save it without chunks"
        )
    return dtype


@cache
def _name(dtype: Any) -> str:
    return str(dtype.name)


def _is_packed(how: Any) -> bool:
    """Whether a dataset was created with a filter that makes it smaller."""
    import h5py

    packing = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF, h5py.h5z.FILTER_SZIP,
               h5py.h5z.FILTER_SCALEOFFSET)  # fmt: skip
    return any(how.get_filter(n)[0] in packing for n in range(how.get_nfilters()))


def _attributes(group: h5py.h5g.GroupID) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    if not h5py.h5a.get_num_attrs(group):
        return found
    attributes = h5py.Group(group).attrs
    for name in attributes:
        base = name.rstrip("0123456789")
        if name in _WANTED or base in _WANTED:  # long lists are split: weight_names0, ...
            found[name] = _text(attributes[name])
    return found


def _text(value: Any) -> Any:
    """Texts and lists of texts as JSON has them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    items = value.tolist() if hasattr(value, "tolist") else value
    return [_text(item) for item in items] if isinstance(items, list) else _scalar(items)


def _scalar(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
