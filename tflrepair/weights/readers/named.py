"""Sources that map names to arrays: .safetensors, plain HDF5, a dict, a live Keras model.

The names are variables' names (``model/dense/kernel``), as ``v.path`` or ``v.name`` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tflrepair.errors import UserError
from tflrepair.weights.native.client import LibraryFile
from tflrepair.weights.types.layer_names import split_path
from tflrepair.weights.types.weight import Array, Source, Weight
from tflrepair.wording import kind_of


def named(
    label: str, name: str, shape: tuple[int, ...], dtype: str, reader: Callable[[], Array]
) -> Weight:
    """A Weight whose name is a variable's name."""
    layer, role = split_path(name)
    return Weight(label, name, shape, dtype, layer=layer, role=role, reader=reader)


def safetensors(label: str) -> Source:
    """The tensors of a .safetensors file, through the safetensors library.

    Raises:
        BadFileError: the library rejects the file.
        UnsupportedError: the library is not installed.
    """
    return _by_path(LibraryFile(Path(label), label, "safetensors"), "safetensors file")


def hdf5(file: LibraryFile) -> Source:
    """An HDF5 file without Keras's marks: each array's path is the variable's name."""
    return _by_path(file, "HDF5 file")


def _by_path(file: LibraryFile, kind: str) -> Source:
    weights = []
    for row in file.arrays:
        layer, role = split_path(row.path)
        weights.append(row.weight(layer=layer, role=role))
    return Source(file.label, kind, tuple(weights), named=True)


def mapping(arrays: Mapping[str, Any]) -> Source:
    """A dict of arrays by variable name.

    Raises:
        UserError: a value is not an array of numbers.
    """
    import numpy as np

    label = "the given dict"
    weights = []
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biufcV":
            raise UserError(f"the value of {name!r} is not an array of numbers: {array.dtype}")
        weights.append(
            named(label, str(name), array.shape, array.dtype.name, partial(_same, array))
        )
    return Source(label, "dict of arrays", tuple(weights), named=True)


def keras_model(model: Any) -> Source:
    """A live Keras model (Keras 2 or 3): its variables by path.

    Raises:
        UserError: the object has no variables.
    """
    variables = getattr(model, "variables", None)
    if not isinstance(variables, (list, tuple)) or not variables:
        raise UserError(
            f"{kind_of(model)} is not a source of weights",
            hint="give a path, a dict of arrays, or a Keras model that is built",
        )
    label = f"the model {getattr(model, 'name', type(model).__name__)!r}"
    weights, seen = [], dict[str, int]()
    for variable in variables:
        path = str(getattr(variable, "path", variable.name))
        number = seen[path] = seen.get(path, 0) + 1
        array = variable.numpy
        layer, role = split_path(path)
        weights.append(
            Weight(
                label,
                path if number == 1 else f"{path}#{number}",
                tuple(int(n) for n in variable.shape),
                str(getattr(variable.dtype, "name", variable.dtype)),
                layer=(*layer[:-1], f"{layer[-1]}#{number}") if number > 1 and layer else layer,
                role=role,
                reader=array,
            )
        )
    return Source(label, "Keras model", tuple(weights), named=True)


def _same(array: Array) -> Array:
    return array
