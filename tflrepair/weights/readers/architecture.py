"""The architecture that a whole-model file holds: ``config.json`` of ``.keras``, ``model_config``.

A Functional model lists its layers with ``inbound_nodes``, the calls of each and what they take
(keras/src/models/functional.py, ``get_config``; in Keras 2 lists of ``[name, node, tensor,
arguments]``). Models in models are taken apart; what is left are layers and their calls. A
subclassed model's config does not tell how its layers are called: then there is no architecture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflrepair.weights.types.architecture import INPUT, Architecture, Call, Unit
from tflrepair.weights.types.layer_names import numbering, snake_case

_MODELS = ("Functional", "Sequential", "Model")
_DEEPEST = 50
_MOST_CALLS = 100_000
# Classes whose activation is the last that they do, and the only one
_RECURRENT = frozenset(("RNN", "LSTM", "GRU", "SimpleRNN"))
_SHOWING = ("dense", "conv1d", "conv2d", "conv3d", "transpose")


class _Unclear(Exception):
    """The config is not one that we understand."""


def architecture(config: Mapping[str, Any]) -> Architecture | None:
    """The architecture in a model's config; None if the config does not hold all of it."""
    found = Architecture()
    try:
        if config.get("class_name") not in _MODELS:
            return None
        _Expansion(found).model(config, (), "", {}, 0)
    except (_Unclear, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
        return None
    return found


class _Expansion:
    """Takes models in models apart."""

    def __init__(self, found: Architecture) -> None:
        self.found = found
        self.known: dict[str, int] = {}

    def model(
        self,
        config: Mapping[str, Any],
        path: tuple[str, ...],
        top: str,
        given: Mapping[int, int],
        depth: int,
    ) -> list[int]:
        """Add the calls of one call of a model; ``given``: its inputs by position."""
        if depth > _DEEPEST:
            raise _Unclear
        rows = list(_members(config))
        inner = config["config"]
        if config["class_name"] == "Sequential":
            last = given.get(0, INPUT)
            for row, place in rows:
                if row["class_name"] != "InputLayer":
                    last = self._call(row, (*path, place), top, [last], depth)[0]
            return [last]
        first = _first_nodes(rows, inner["output_layers"])

        def known(name: str, node: int) -> tuple[str, int]:
            return name, node - first.get(name, 0)

        made: dict[tuple[str, int], list[int]] = {}
        for position, (name, _, _) in enumerate(_ends(inner["input_layers"])):
            made[name, 0] = [given.get(position, INPUT)]
        todo = [
            (row, place, node, refs)
            for row, place in rows
            if row["class_name"] != "InputLayer"
            for node, refs in enumerate(_nodes(row))
        ]
        while todo:
            later = []
            for row, place, node, refs in todo:
                if all(known(name, n) in made for name, n, _ in refs):
                    takes = [_pick(made[known(name, n)], t) for name, n, t in refs]
                    made[_own_name(row), node] = self._call(row, (*path, place), top, takes, depth)
                else:
                    later.append((row, place, node, refs))
            if len(later) == len(todo):
                raise _Unclear  # something takes what nothing makes
            todo = later
        ends = _ends(inner["output_layers"])
        return [_pick(made[known(name, node)], t) for name, node, t in ends]

    def _call(
        self, row: Mapping[str, Any], path: tuple[str, ...], top: str, takes: list[int], depth: int
    ) -> list[int]:
        if len(self.found.calls) > _MOST_CALLS:
            raise _Unclear
        name = top or _own_name(row)
        if row["class_name"] in _MODELS and isinstance(row["config"].get("layers"), list):
            return self.model(row, path, name, dict(enumerate(takes)), depth + 1)
        place = "/".join(path)
        if place not in self.known:
            self.known[place] = len(self.found.units)
            self.found.units.append(_unit(row, place, (name, _own_name(row))))
        self.found.calls.append(Call(self.known[place], tuple(takes)))
        return [len(self.found.calls) - 1]


def _first_nodes(rows: Sequence[tuple[Mapping[str, Any], str]], ends: Any) -> dict[str, int]:
    """Layer -> number of its first saved call, where that is not 0.

    Keras counts the call that made a model in the model, too, which is not saved with the others.
    """
    counts = {_own_name(row): len(row.get("inbound_nodes", ())) for row, _ in rows}
    last: dict[str, int] = {}
    for name, node, _ in [*_refs([row.get("inbound_nodes", ()) for row, _ in rows]), *_refs(ends)]:
        last[name] = max(node, last.get(name, 0))
    behind = {name: node - max(counts.get(name, 0) - 1, 0) for name, node in last.items()}
    return {name: number for name, number in behind.items() if number > 0}


def _members(config: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each layer of a model with its place in a Keras 3 weights file."""
    named = numbering()
    for row in config["config"]["layers"]:
        kind = snake_case(row["class_name"])
        if config["class_name"] == "Sequential" and kind == "input_layer":
            yield row, ""
            continue
        yield row, f"layers/{named(kind)}"


def _own_name(row: Mapping[str, Any]) -> str:
    return str(row["config"].get("name", row.get("name")))


def _pick(outputs: Sequence[int], place: int) -> int:
    """A layer that is no model makes one call, of which all its outputs are."""
    return outputs[place] if len(outputs) > 1 else outputs[0]


def _ends(rows: Any) -> list[tuple[str, int, int]]:
    """``input_layers`` or ``output_layers``: one row, or a list (or dict) of rows."""
    found = list(_refs(rows))
    if not found:
        raise _Unclear
    return found


def _nodes(row: Mapping[str, Any]) -> Iterator[list[tuple[str, int, int]]]:
    for node in row["inbound_nodes"]:
        refs = list(_refs(node))
        if not refs:
            raise _Unclear
        yield refs


def _refs(thing: Any) -> Iterator[tuple[str, int, int]]:
    """References to tensors of other layers, in the order in which they stand."""
    if isinstance(thing, Mapping):
        if thing.get("class_name") == "__keras_tensor__":
            name, node, tensor = thing["config"]["keras_history"]
            yield str(name), int(node), int(tensor)
            return
        for value in thing.values():
            yield from _refs(value)
    elif isinstance(thing, (list, tuple)):
        if len(thing) in (3, 4) and isinstance(thing[0], str) and _whole(thing[1:3]):
            yield thing[0], thing[1], thing[2]
            thing = thing[3:]
        for value in thing:
            yield from _refs(value)


def _whole(values: Sequence[Any]) -> bool:
    return all(type(value) is int for value in values)


def _activation(kind: str, inner: Mapping[str, Any]) -> Any:
    """The activation of a layer that has one, or is one."""
    if kind.endswith(_SHOWING):
        return inner.get("activation", "linear")
    if kind == "re_lu":
        bent = inner.get("negative_slope") or inner.get("threshold")
        return "relu" if not bent and inner.get("max_value") in (None, 6) else None
    return inner.get("activation") if kind == "activation" else kind if kind == "softmax" else None


def _backwards(row: Mapping[str, Any]) -> bool | None:
    inner = row["config"]
    is_loop = row["class_name"] in _RECURRENT and not inner.get("unroll")
    return bool(inner.get("go_backwards")) if is_loop else None


def _unit(row: Mapping[str, Any], path: str, names: tuple[str, str]) -> Unit:
    inner = row["config"]
    activation = _activation(snake_case(row["class_name"]), inner)
    strides = inner.get("strides")
    pair = (strides, strides) if isinstance(strides, int) else strides
    fits = isinstance(pair, (list, tuple)) and len(pair) == 2 and _whole(pair)
    return Unit(
        path,
        names,
        snake_case(row["class_name"]),
        activation if isinstance(activation, str) else None,
        (pair[0], pair[1]) if fits and pair else None,
        _backwards(row),
    )
