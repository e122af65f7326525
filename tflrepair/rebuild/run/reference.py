"""Running signatures through the rebuilt module: a reference that has every TensorFlow operator.

Python wheels have had no Flex delegate since TensorFlow 2.19, so this is how training signatures
run on a current TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.errors import UnsupportedError, UserError
from tflrepair.graph.model import Model
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.run.module import module_of
from tflrepair.rebuild.run.starting_values import Values, starting_values

if TYPE_CHECKING:
    import numpy.typing as npt

Arrays = Mapping[str, "npt.NDArray[Any]"]


class Reference:
    """One instance of the rebuilt module. ``values`` are the variables' initial values; those of
    the model's own initializers are known.

    Attributes:
        variables: the tf.Variable of each resource.

    Raises:
        BadFileError, UnsupportedError, RefusedError: as ``build_module``.
    """

    def __init__(self, model: Model, values: Values) -> None:
        plan = make_plan(model)
        self._inputs = {entry.key: entry.inputs for entry in plan.entries}
        starts = starting_values(plan, values)
        self._module = module_of(plan, starts)
        self.variables = dict(zip(starts.variables, self._module.weights, strict=True))

    def check(self, key: str, inputs: Arrays) -> None:
        """Raises UserError for an unknown signature, or inputs that do not match it."""
        known = self._inputs
        if key not in known:
            raise UserError(f"no signature {key}; there are: {', '.join(known)}")
        if set(inputs) != set(known[key]):
            raise UserError(
                f"signature {key} takes {', '.join(known[key]) or 'no inputs'}; "
                f"given: {', '.join(inputs) or 'nothing'}"
            )

    def call(self, key: str, inputs: Arrays) -> dict[str, npt.NDArray[Any]]:
        """The outputs of signature ``key`` by name.

        Raises:
            UserError: as ``check``.
            UnsupportedError: it fails while it runs.
        """
        self.check(key, inputs)
        return _call(self._module.endpoints[key], key, [inputs[n] for n in self._inputs[key]])


def run_reference(
    model: Model, values: Values, calls: Sequence[tuple[str, Arrays]]
) -> list[dict[str, npt.NDArray[Any]]]:
    """Call signatures one after the other on one instance, which keeps its variables.

    Args:
        values: the variables' initial values.
        calls: (signature key, inputs by name) pairs.

    Returns:
        The outputs by name, for each call.

    Raises:
        As ``Reference`` and ``Reference.call``; no call is made if any of them does not fit.
    """
    reference = Reference(model, values)
    for key, inputs in calls:
        reference.check(key, inputs)
    return [reference.call(key, inputs) for key, inputs in calls]


def _call(endpoint: Any, key: str, inputs: list[Any]) -> dict[str, Any]:
    import tensorflow as tf

    specs = endpoint.input_signature
    try:
        tensors = [tf.constant(x, spec.dtype) for x, spec in zip(inputs, specs, strict=True)]
    except (TypeError, ValueError) as error:
        raise UserError(f"an input does not fit signature {key}: {error}") from None
    for spec, tensor in zip(specs, tensors, strict=True):
        if not spec.shape.is_compatible_with(tensor.shape):
            raise UserError(
                f"input {spec.name} of {key} has shape {tensor.shape} instead of {spec.shape}"
            )
    try:
        return {name: value.numpy() for name, value in endpoint(*tensors).items()}
    except tf.errors.OpError as error:
        raise UnsupportedError(f"signature {key} fails while it runs: {error.message}") from None
