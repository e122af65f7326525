"""Which function computes which builtin operator.

An operator's function is plain TensorFlow: it takes the operator's input tensors by position
(None for an optional input that is left out) and what it needs of the options by keyword. The
names of the keywords are the schema's, in snake case, and their defaults the schema's defaults;
``out_dtype`` asks for the dtype of the first output. Nothing else reaches the function, so its
source can be copied into the Python file that ``emit`` writes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

# Each imports TensorFlow, so they are imported by ``operators()`` only.
_MODULES = (
    "binary",
    "conv",
    "image",
    "index",
    "lstm",
    "misc",
    "quant",
    "reduce",
    "shape",
    "unary",
)


@dataclass(frozen=True)
class Builtin:
    """One operator: its function, and how the plan must treat its tensors.

    Attributes:
        states: positions of inputs that are variable tensors (Tensor.is_variable): the function
            returns their new values after its outputs.
        raw: quantized inputs arrive as they are stored, and the function gets the
            quantization parameters of its first input and output itself.
    """

    name: str
    function: Callable[..., Any]
    states: tuple[int, ...]
    raw: bool

    @cached_property
    def keywords(self) -> Mapping[str, Any]:
        """The options it takes, with their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    @cached_property
    def arity(self) -> tuple[int, float]:
        """The least and the most inputs that it takes."""
        least, most = 0, 0.0
        for p in inspect.signature(self.function).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                most = float("inf")
            elif p.kind is not p.KEYWORD_ONLY:
                most += 1
                least += p.default is p.empty
        return least, most


_OPERATORS: dict[str, Builtin] = {}
_Function = TypeVar("_Function", bound=Callable[..., Any])


def op(
    *names: str, states: tuple[int, ...] = (), raw: bool = False
) -> Callable[[_Function], _Function]:
    """Register the decorated function for the builtin operators ``names``."""

    def register(function: _Function) -> _Function:
        for name in names:
            _OPERATORS[name] = Builtin(name, function, states, raw)
        return function

    return register


def operators() -> Mapping[str, Builtin]:
    """All registered operators by their schema name. Imports TensorFlow."""
    for module in _MODULES:
        import_module(f"{__package__}.{module}")
    return _OPERATORS
