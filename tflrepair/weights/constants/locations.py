"""Which layer an operator of a converted model was, from the names of its tensors.

The converter calls a tensor after its location: the TensorFlow operation that it comes from, or
several, joined with ``;``, where operators were fused: ``net_1/conv2d_1/BiasAdd;net_1/conv2d_1/
convolution`` (tensorflow/compiler/mlir/lite/flatbuffer_export.cc and
tensorflow/compiler/mlir/op_or_arg_name_mapper.cc). What is fused of several layers names most of
them, not all (see ``folding``). Some names are lost: constants that are shared are called
``arith.constant``, and a signature's outputs are called after its call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from tflrepair.weights.types.layer_names import split_number, unscoped

_LOST = re.compile(r"arith\.constant\d*|(Stateful)?PartitionedCall(_\d+)?(:\d+)?")
_CALLS = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")
# A layer of its own that is fused into the operator as its activation changes no constant.
_ACTIVATION = re.compile(r"Relu6?(_\d+)?\d*")
_SEPARABLE = "separable_conv2d"
# Scopes that TensorFlow's own functions open inside a layer's.
_INNER = frozenset(
    (
        _SEPARABLE, "Tensordot", "convolution", "conv_transpose", "GatherV2", "BiasAdd",
        "Add", "Reshape", "batchnorm", "moments", "einsum", "Cast", "while", "Gelu",
        "embedding_lookup",
    )
)  # fmt: skip


class Scopes:
    """Turns locations into layers, in the way of one file.

    Keras 3 enters a layer's scope once to build and once to call it, so that each scope has one
    number more than the layer (``unscoped``); in Keras 2 they are the layers' names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        outer = {scope for name in names for path in _paths(name) for scope in path[:-1][:2]}
        self.numbered = all(split_number(scope)[1] for scope in outer - _INNER)

    def layers(self, names: Iterable[str]) -> set[tuple[str, ...]]:
        """The layers that the locations in these names tell of, but for activations."""
        paths = [path for name in names for path in _paths(name)]
        layer = _numbered if self.numbered else _plain
        return {layer(path) for path in paths if not _ACTIVATION.fullmatch(path[-1])}


def _numbered(path: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes that have a number, up to the first that is none of a layer."""
    return unscoped(tuple(takewhile(_is_layer, path[:-1])))


def _is_layer(scope: str) -> bool:
    base, number = split_number(scope)
    return number > 0 and (base not in _INNER or base == _SEPARABLE)


def _plain(path: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes without those that functions open; one of these is called like its layer."""
    *scopes, operation = path
    if scopes[-1:] == [_SEPARABLE] and operation.startswith(("depthwise", "ReadVariableOp")):
        scopes.pop()
    while len(scopes) > 1 and scopes[-1] != _SEPARABLE and split_number(scopes[-1])[0] in _INNER:
        scopes.pop()
    return tuple(scopes)


def is_inside(names: Iterable[str], scope: str) -> bool:
    """Whether some location in these names is, or lies in, a function called ``scope``.

    Where the function has the name of the layer, the layer's scope does not count.
    """
    return any(
        re.sub(r"\d+$", "", part) == scope
        for name in names
        for path in _paths(name)
        for part in path[-2:]
    )


def _paths(name: str) -> Iterator[tuple[str, ...]]:
    for location in name.split(";"):
        path = tuple(part for part in location.split("/") if not _CALLS.fullmatch(part))
        if location and path and not _LOST.fullmatch(location):
            yield path
