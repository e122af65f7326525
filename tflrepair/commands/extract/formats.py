"""Files of named arrays: ``.npz``, ``.safetensors``, ``.h5``. Arrays are read one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.views.values import Array

Rows = dict[str, Callable[[], Array]]


def npz(stream: BinaryIO, rows: Rows) -> None:
    """NumPy's archive; ``numpy.savez`` itself would take no array called ``file``."""
    import zipfile

    import numpy as np

    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, read in rows.items():
            _check(name, "\\" not in name and "\0" not in name, ".safetensors")
            member = zipfile.ZipInfo(name + ".npy")
            with archive.open(member, "w", force_zip64=True) as target:
                np.lib.format.write_array(target, np.asanyarray(read()), allow_pickle=False)


def safetensors(stream: BinaryIO, rows: Rows) -> None:
    """Through the safetensors library, which takes all arrays at once."""
    try:
        from safetensors.numpy import save
    except ImportError:
        raise UnsupportedError(
            "writing .safetensors needs the package safetensors",
            hint="pip install 'tflrepair[safetensors]', or write .npz",
        ) from None
    import numpy as np

    for name in rows:
        _check(name, name != "__metadata__", ".npz")
    # not ascontiguousarray, which makes a list of a scalar
    arrays = {name: np.asarray(read(), order="C") for name, read in rows.items()}
    stream.write(save(arrays))


def h5(stream: BinaryIO, rows: Rows) -> None:
    """HDF5: a dataset for each array, at its name as a path."""
    import h5py

    groups = {"/".join(parts[:n]) for parts in (name.split("/") for name in rows)
              for n in range(1, len(parts))}  # fmt: skip
    with h5py.File(stream, "w") as file:
        for name, read in rows.items():
            parts = name.split("/")
            clean = name not in groups and all(p not in ("", ".", "..") for p in parts)
            _check(name, clean and "\0" not in name, ".npz")
            file.create_dataset(name, data=read())


def _check(name: str, fits: bool, other: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise RefusedError(
            f"the name {name!r} does not fit this kind of file", hint=f"write {other} instead"
        )


FORMATS: dict[str, Callable[[BinaryIO, Rows], None]] = {
    ".npz": npz,
    ".safetensors": safetensors,
    ".h5": h5,
}
