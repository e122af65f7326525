""".safetensors, read with the library of that name: runs in the child process only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from tflrepair.weights.types.pieces import selections

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32",
    "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64",
}  # fmt: skip


@dataclass(frozen=True)
class _Array:
    view: Any
    shape: tuple[int, ...]
    dtype: str
    itemsize: int

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.itemsize

    def pieces(self, size: int) -> Iterator[bytes]:
        import numpy as np

        for where in selections(self.shape, self.itemsize, size):
            yield np.ascontiguousarray(self.view[where]).tobytes()


class SafetensorsReader:
    """An open .safetensors file."""

    def __init__(self, path: str) -> None:
        from safetensors import safe_open

        self._file: Any = safe_open(path, framework="numpy")

    def close(self) -> None:
        self._file = None

    def listing(self) -> dict[str, Any]:
        """``arrays``: (name, shape, dtype) of those whose type numpy has or ml_dtypes adds."""
        arrays = []
        for name in self._file.keys():  # noqa: SIM118 - no mapping
            view = self._file.get_slice(name)
            dtype = DTYPES.get(view.get_dtype())
            if dtype is not None:
                arrays.append((name, list(view.get_shape()), dtype))
        return {"groups": {}, "arrays": arrays, "skipped": []}

    def array(self, name: str) -> _Array:
        import numpy as np

        view = self._file.get_slice(name)
        dtype = DTYPES[view.get_dtype()]
        shape, wide = tuple(view.get_shape()), dtype == "bfloat16"
        size = 2 if wide else np.dtype(dtype).itemsize
        return _Array(view, shape, "|V2" if wide else dtype, size)
