"""Reading HDF5 files that may be hostile.

Only what lies inside the file is read: soft and external links, external storage and virtual
datasets are refused, and so is a dataset that declares far more bytes than the file stores
for it. What Keras writes has none of these.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.weights.types.weight import Array, Weight

if TYPE_CHECKING:
    import h5py

# deflate cannot pack better than 1032:1 (https://zlib.net/zlib_tech.html)
_BEST_PACKING = 1032
_MOST_OBJECTS = 1_000_000
_DEEPEST = 64


@dataclass(frozen=True)
class Dataset:
    """A numeric array in the file: its path, and its group's ``name`` attribute if it has one."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    file: H5File = field(repr=False, compare=False)

    def read(self) -> Array:
        return self.file.read(self)

    def weight(self, **more: Any) -> Weight:
        """A Weight that reads this dataset."""
        facts = {"path": self.path, **more}
        return Weight(
            source=self.file.label,
            shape=self.shape,
            dtype=self.dtype,
            reader=partial(self.file.read, self),
            **facts,
        )


class H5File:
    """An open HDF5 file. ``groups`` maps a group's path to its attributes, ``datasets`` likewise.

    Raises:
        BadFileError: not an HDF5 file, damaged, or it points outside itself.
    """

    def __init__(self, stream: IO[bytes] | io.RawIOBase | Path, label: str) -> None:
        try:
            import h5py
        except ImportError:
            raise UnsupportedError(
                "HDF5 files need the package h5py", where=label, hint="run `pip install h5py`"
            ) from None
        self.label = label
        self._known: dict[str, h5py.Dataset] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.skipped: list[str] = []
        with guarded(label):
            self._file = h5py.File(stream, "r")
            try:
                self.datasets = tuple(self._walk())
            except BaseException:
                self._file.close()
                raise

    def read(self, row: Dataset) -> Array:
        import numpy as np

        with guarded(self.label, row.path):
            array: Array = np.asarray(self._known[row.path][()])
        return array.view(_numpy(row.dtype)) if row.dtype == "bfloat16" else array

    def _walk(self) -> Iterator[Dataset]:
        import h5py

        seen: set[Any] = set()
        todo: list[tuple[str, h5py.Group]] = [("", self._file["/"])]
        while todo:
            path, group = todo.pop()
            address = h5py.h5o.get_info(group.id).addr
            if address in seen or path.count("/") > _DEEPEST:
                raise BadFileError(f"group {path!r} contains itself or is nested too deeply")
            seen.add(address)
            self.groups[path] = _attributes(group)
            for name in group:
                if len(self._known) + len(seen) + len(todo) > _MOST_OBJECTS:
                    raise BadFileError(f"holds more than {_MOST_OBJECTS} objects")
                inner = f"{path}/{name}" if path else name
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise BadFileError(
                        f"{inner!r} is a {type(link).__name__}, which may lead anywhere",
                        hint="Keras writes none: copy the weights to a plain file if you trust it",
                    )
                child = group[name]
                if isinstance(child, h5py.Group):
                    todo.append((inner, child))
                elif isinstance(child, h5py.Dataset):
                    yield from self._dataset(inner, child)

    def _dataset(self, path: str, dataset: h5py.Dataset) -> Iterator[Dataset]:
        if dataset.external or dataset.is_virtual:
            raise BadFileError(f"the data of {path!r} lies outside the file")
        dtype = "bfloat16" if dataset.attrs.get("dtype") == "bfloat16" else dataset.dtype.name
        if dataset.dtype.kind not in "biufcV" or dataset.shape is None:
            self.skipped.append(path)
            return
        if dataset.dtype.kind == "V" and not (dtype == "bfloat16" and dataset.dtype.itemsize == 2):
            self.skipped.append(path)
            return
        declared = prod(dataset.shape) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        packed = dataset.compression is not None or dataset.scaleoffset is not None
        if declared > stored * (_BEST_PACKING if packed else 1):
            raise BadFileError(
                f"{path!r} declares {declared} bytes, the file stores {stored} for it"
            )
        self._known[path] = dataset
        yield Dataset(path, tuple(int(n) for n in dataset.shape), dtype, self)


def _attributes(group: h5py.Group) -> dict[str, Any]:
    """The attributes that Keras's formats use; others are not touched."""
    wanted = ("name", "weight_names", "layer_names", "keras_version", "backend", "model_config")
    found: dict[str, Any] = {}
    for name in group.attrs:
        base = name.rstrip("0123456789")
        if name in wanted or base in wanted:  # long lists are split: weight_names0, weight_names1
            found[name] = group.attrs[name]
    return found


def _numpy(dtype: str) -> Any:
    import ml_dtypes
    import numpy as np

    return ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)


@contextmanager
def guarded(label: str, path: str = "") -> Iterator[None]:
    """Whatever the HDF5 library raises becomes a BadFileError that names the file."""
    try:
        yield
    except TflRepairError as error:
        raise error.within(label) from None
    except MemoryError:
        raise BadFileError("needs more memory than there is", where=label) from None
    except Exception as error:  # h5py raises many kinds, also AttributeError and SystemError
        what = f"{path} cannot be read" if path else "is no readable HDF5 file"
        raise BadFileError(f"{what}: {error}", where=label) from None
