"""Which function stands for which TensorFlow operator.

A lowering takes the operator's inputs and attributes by the names that ``tf.raw_ops`` gives them,
as keywords, and returns what the raw operator returns (a tuple where it has several outputs). It
takes only the attributes that it needs. Three more names are understood:

    seed_of_site   a number that no other random operator of the model has
    resource       for a resource handle: an object with ``read()`` and ``assign(value)``
    trials         for each input, what it would be for several sizes of open dimensions, or None

Its operators must all be such that the converter maps to builtins, with an open batch, too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

# Each imports TensorFlow, so they are imported by ``lowerings()`` only.
_FAMILIES = (
    "images.batch_norm",
    "images.conv",
    "images.depthwise",
    "images.mirror",
    "images.pool",
    "images.resize",
    "tensors.activations",
    "tensors.bits",
    "tensors.broadcast",
    "tensors.integers",
    "tensors.lists",
    "tensors.losses",
    "tensors.random",
    "tensors.resources",
    "tensors.scatter",
    "tensors.shapes",
    "tensors.special",
    "tensors.strided_slice",
)

Function = Callable[..., Any]
_Decorated = TypeVar("_Decorated", bound=Function)
_LOWERINGS: dict[str, Function] = {}


def lower(*names: str) -> Callable[[_Decorated], _Decorated]:
    """Register the decorated function for the TensorFlow operators ``names``."""

    def register(function: _Decorated) -> _Decorated:
        for name in names:
            _LOWERINGS[name] = function
        return function

    return register


def lowerings() -> Mapping[str, Function]:
    """All lowerings by the operator's name. Imports TensorFlow."""
    for family in _FAMILIES:
        import_module(f"{__package__}.{family}")
    return _LOWERINGS


@cache
def parameters(function: Function) -> frozenset[str]:
    """The names that ``function`` takes."""
    return frozenset(inspect.signature(function).parameters)


def words(text: str) -> list[str]:
    """The names in ``text``, which stand between spaces."""
    return text.split()
