"""Which layers a file has, and which are of Keras's own classes: a config tells, also of layers in
layers.

A config of a layer holds those of the layers inside (keras/src/layers/core/wrapper.py, rnn/rnn.py,
rnn/stacked_rnn_cells.py, rnn/bidirectional.py), and the weights file has them under the attributes
in which these classes keep them. What somebody's own class puts into its config, and under which
attribute it keeps it, is its own affair: there this ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tflrepair.weights.types.layer_names import numbering, snake_case
from tflrepair.weights.types.weight import Described

_DEEPEST = 50
_MODELS = ("Functional", "Sequential", "Model")
# Keras's own classes that make their cell themselves
_MAKES_ITS_CELL = frozenset(
    ("LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
)  # fmt: skip
# Its own classes around others, where a config of Keras 2 does not tell whose they are
_AROUND = frozenset(("RNN", "StackedRNNCells", "Bidirectional", "TimeDistributed"))
# Key of a config -> attribute under which Keras's own layers keep what it describes
_ATTRIBUTES = {"cell": "cell", "layer": "layer", "backward_layer": "backward_layer"}


def own_classes(config: Mapping[str, Any]) -> dict[str, bool]:
    """Path in a Keras 3 weights file -> whether the layer's class is Keras's own.

    A layer that is not in it is one of which the config does not tell.
    """
    return {row.path: row.own for row in _walk(config, (), 0) if row.own is not None}


def described(config: Mapping[str, Any]) -> tuple[Described, ...]:
    """All layers of which the config tells."""
    return tuple(row for row in _walk(config, (), 0) if row.class_name)


def _walk(row: Any, path: tuple[str, ...], depth: int) -> Iterator[Described]:
    if not isinstance(row, Mapping) or depth > _DEEPEST:
        return
    kind, module, inner = row.get("class_name"), row.get("module"), row.get("config")
    if not isinstance(kind, str) or not isinstance(inner, Mapping):
        return
    own = module.split(".")[0] == "keras" if isinstance(module, str) else None
    name = str(inner.get("name", ""))
    yield Described("/".join(path), name, snake_case(kind), own)
    if kind in _MODELS and isinstance(inner.get("layers"), list):
        yield from _list(inner["layers"], (*path, "layers"), depth, kind == "Sequential")
    elif own:
        yield from _inside(kind, inner, path, depth)
    elif own is None and kind in _AROUND:  # what is not known to be an RNN tells of no cell's class
        yield from (replace(r, own=None) for r in _inside(kind, inner, path, depth))


def _inside(
    kind: str, inner: Mapping[str, Any], path: tuple[str, ...], depth: int
) -> Iterator[Described]:
    """The layers inside one of Keras's own that is no model."""
    if kind in _MAKES_ITS_CELL:
        yield Described("/".join((*path, "cell")), "", "", True)
    for key, attribute in _ATTRIBUTES.items():
        is_forward = key == "layer" and kind == "Bidirectional"
        step = "forward_layer" if is_forward else attribute
        yield from _walk(inner.get(key), (*path, step), depth + 1)
    if isinstance(inner.get("cells"), list):
        yield from _list(inner["cells"], (*path, "cells"), depth, False)


def _list(
    rows: list[Any], path: tuple[str, ...], depth: int, is_sequential: bool
) -> Iterator[Described]:
    """The members of a list, which Keras calls after their classes, with a number within each."""
    named = numbering()
    for row in rows:
        if not isinstance(row, Mapping) or not isinstance(row.get("class_name"), str):
            return
        kind = snake_case(row["class_name"])
        if is_sequential and kind == "input_layer":
            continue  # Sequential.layers leaves it out
        yield from _walk(row, (*path, named(kind)), depth + 1)
