"""Which variable is used before which, from what the operators compute.

The order in which a converter lists operators says little: independent ones come sorted by name.
What counts is that one layer's output flows into another. A value is ``data`` if it depends on an
input of the signature; a variable is *used* where it (or what is computed from variables
alone, as in batch normalization) first meets data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.options import var_handle
from tflrepair.graph.subgraph import Subgraph

_NEVER = 1 << 30
_SKIPPED = frozenset({schema.BuiltinOperator.CALL_ONCE, schema.BuiltinOperator.ASSIGN_VARIABLE})


@dataclass
class _Uses:
    """For each variable: rank of the first use, and what is upstream of every use."""

    rank: dict[int, int] = field(default_factory=dict)
    upstream: dict[int, int] = field(default_factory=dict)


def flow_of(model: Model, names: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """(rank of first use, upstream) for each (container, shared_name), as in ``Target``."""
    bits = {name: 1 << i for i, name in enumerate(names)}
    entries = [s.subgraph for s in model.signatures] or [0]
    runs = [_entry(model.subgraph(index), bits) for index in dict.fromkeys(entries)]
    rank = [_NEVER] * len(names)
    upstream = [(1 << len(names)) - 1] * len(names)
    base = 0
    for run in runs:
        absent = ~sum(1 << i for i in run.rank)
        for i, position in run.rank.items():
            rank[i] = min(rank[i], base + position)
            upstream[i] &= run.upstream[i] | absent
        base += len(run.rank)
    return [(r, up if r < _NEVER else 0) for r, up in zip(rank, upstream, strict=True)]


def _entry(graph: Subgraph, bits: dict[tuple[str, str], int]) -> _Uses:
    found = _Uses()
    own: dict[int, int] = {}  # tensors made of variables only: which ones
    data: dict[int, int] = dict.fromkeys(graph.inputs, 0)  # tensors of data: what took part
    for op in graph.operators:
        if op.code == schema.BuiltinOperator.VAR_HANDLE:
            own.update(dict.fromkeys(op.outputs, bits.get(var_handle(op), 0)))
            continue
        if op.code in _SKIPPED or op.name.startswith(("FlexSave", "FlexMergeV2")):
            continue
        merged = before = 0
        is_data = False
        for tensor in op.inputs:
            if tensor in data:
                is_data = True
                before |= data[tensor]
            else:
                merged |= own.get(tensor, 0)
        if is_data and merged:
            _note(found, merged, before)
        result = data if is_data else own
        for tensor in op.outputs:
            result[tensor] = before | merged
    return found


def _note(found: _Uses, merged: int, before: int) -> None:
    for i in _positions(merged):
        if i in found.rank:
            found.upstream[i] &= before
        else:
            found.rank[i] = len(found.rank)
            found.upstream[i] = before


def _positions(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
