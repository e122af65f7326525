"""The rebuilt module behind the face of tf.lite's Interpreter, for execution's worker.

It is the runtime ``tensorflow``: every signature runs as TensorFlow operators, Flex ones included,
so that training can be verified where no wheel has a Flex delegate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tflrepair.graph.model import load
from tflrepair.rebuild.run.reference import Reference


class OpResolverType:
    """There are no delegates to choose from."""

    AUTO = 0
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 1


class Interpreter:
    """One instance of the rebuilt module; its variables keep their values from call to call."""

    def __init__(self, model_path: str, experimental_op_resolver_type: int = 0) -> None:
        self._reference = Reference(load(model_path), {})

    def get_signature_runner(self, signature: str) -> Callable[..., dict[str, Any]]:
        """A callable that takes inputs by name and gives outputs by name."""
        return lambda **inputs: self._reference.call(signature, inputs)

    def get_input_details(self) -> Sequence[Any]:
        """Only models without signatures ask for this, and those are rebuilt by none."""
        from tflrepair.errors import UnsupportedError

        raise UnsupportedError("a model without signatures cannot be run by rebuilding it")
