"""The model before it was lowered, as TensorFlow's own kernels run it, for execution's worker.

The runtime ``tensorflow`` with one signature more: ``LOOK`` shows what training assigned.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.graph.model import load
from tflrepair.rebuild.run import interpreter
from tflrepair.rebuild.run.reference import Reference

LOOK = "the variables"
OpResolverType = interpreter.OpResolverType


def label(key: ResourceId) -> str:
    """The name of a variable in what ``LOOK`` gives."""
    return str(tuple(key))


class Interpreter:
    """A rebuilt module whose variables have their starting values again.

    Interpreters of one file share the module, which is slow to trace: use one after the other.
    """

    def __init__(self, model_path: str, experimental_op_resolver_type: int = 0) -> None:
        self._reference, starts = _traced(model_path)
        for variable, value in zip(self._reference.variables.values(), starts, strict=True):
            variable.assign(value)

    def get_signature_runner(self, signature: str) -> Callable[..., dict[str, Any]]:
        """A callable that takes inputs by name and gives outputs by name."""
        if signature == LOOK:
            return self._look
        return lambda **inputs: self._reference.call(signature, inputs)

    def _look(self) -> dict[str, Any]:
        """Copies of all values; bfloat16 as float32, since no .npz can hold it."""
        import numpy as np

        found = {}
        for key, variable in self._reference.variables.items():
            value = np.array(variable)
            narrow = value.dtype.name == "bfloat16"
            found[label(key)] = value.astype(np.float32) if narrow else value
        return found


@cache
def _traced(path: str) -> tuple[Reference, tuple[Any, ...]]:
    """The module of a file and the values that its variables start with."""
    import numpy as np

    reference = Reference(load(path), {})
    return reference, tuple(np.array(v) for v in reference.variables.values())
