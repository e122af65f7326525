"""Another .tflite as a source: the initial values of its variables, and its constants."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import Variable
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.graph.model import Model, load
from tflrepair.weights.constants.layer_constants import constants_of
from tflrepair.weights.readers.named import named
from tflrepair.weights.types.weight import Array, Source, Weight


def source(label: str) -> Source:
    """The initial values by the variables' own names; the constants for a map (see ``offered``).

    Raises:
        BadFileError: no readable model, or one without initial values and layers' constants.
    """
    model = load(label)
    try:
        initial, constants = _initial_values(model, label), constants_of(model, label)
    except TflRepairError as error:
        raise error.within(label) from None
    if not initial and not any(constant.kind for constant in constants):
        raise BadFileError(
            "is a .tflite model whose variables have no initial values, and no constants of it "
            "could be weights",
            where=label,
            hint="constants that are quantized, or in the loops of recurrent layers, are not read: "
            "give the weights in another file",
        )
    return Source(label, "TensorFlow Lite model", (*initial, *constants), exact=True)


def _initial_values(model: Model, label: str) -> list[Weight]:
    weights = []
    for variable in AnalysisContext(model).analysis.variables:
        initial = variable.initial
        if initial is not None and initial.via == "constant" and variable.dtype:
            read = partial(model.buffer_bytes, initial.buffer)
            weights.append(_initial_value(label, variable, read))
    return weights


def _initial_value(label: str, variable: Variable, data: Callable[[], memoryview]) -> Weight:
    dtype, shape = variable.dtype or "", tuple(variable.shape or ())
    reader = partial(_from_bytes, data, dtype, shape, variable.name)
    return named(label, variable.name, shape, dtype, reader)


def _from_bytes(
    data: Callable[[], memoryview], dtype: str, shape: tuple[int, ...], name: str
) -> Array:
    import numpy as np

    try:
        array: Array = np.frombuffer(data(), dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
    except (TypeError, ValueError) as error:
        raise BadFileError(f"the value of {name!r} cannot be read: {error}") from None
    return array
