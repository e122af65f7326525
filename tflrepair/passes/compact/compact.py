"""Compacting: the file again, without what nothing needs any more.

A freeze writes new tables in front of the old file and leaves the old ones there; its initializers
are empty, its variables have no readers, and loops still carry their handles. This goes: operators
that work for nothing, what IF and WHILE hand on for nothing, subgraphs that no signature leads to,
tensors, buffers and operator codes that nobody names, and every byte that no table refers to.

Promises: signatures, names, metadata and the order of what stays are the same, each operator that
stays has its version, options and operands, and each value its bytes, checked in the written file.
So the answers are the same bit for bit. Indices of tensors, buffers and subgraphs change.

Idempotent: in a compacted file nothing is left to take away, so it is not written again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format import schema
from tflrepair.graph.contents import same_bytes
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Tensor
from tflrepair.passes.compact.needed import Needed, needed
from tflrepair.passes.compact.write import rewrite
from tflrepair.rewrite.contract import Change, Tidying
from tflrepair.views.options import SUBGRAPH_FIELDS, custom_options, options


@dataclass(frozen=True)
class CompactPass(Tidying):
    """Compacting as a pass. It changes nothing where a table is newer than our schema."""

    title: str = "compacting"

    def requires(self, before: AnalysisContext) -> None:
        """Every model can be compacted, or is left as it is."""

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        model = before.model
        if _counts_tables(model):
            return None
        try:
            file = rewrite(model, needed(model))
        except UnsupportedError:
            return None
        return Change(file) if file.size < model.size else None

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_compacted(before.model, needed(before.model), after.model)


def _counts_tables(model: Model) -> bool:
    """Whether something in the file counts operators or refers to tables that we do not follow."""
    slot = schema.Model
    if model.root.count(slot.EXTERNAL_BUFFERS) or model.root.count(slot.EXTERNAL_BUFFER_GROUPS):
        return True
    return any(
        name == "model_control_dependencies" and model.buffer(buffer).length
        for name, buffer in model.metadata
    )


def check_compacted(before: Model, stays: Needed, after: Model) -> None:
    """The postcondition, on the written bytes.

    Raises:
        RefusedError: the new file is not the old one without what is not needed.
    """
    if not all(_agree(before, stays, after)):
        raise RefusedError("the compacted model failed its own check; nothing was written")


def _agree(before: Model, stays: Needed, after: Model) -> Iterator[bool]:
    order = sorted(stays.operators)
    number = {old: new for new, old in enumerate(order)}
    yield len(after.subgraphs) == len(order)
    yield (before.version, before.description) == (after.version, after.description)
    yield [(n, bytes(before.buffer_bytes(b))) for n, b in before.metadata] == [
        (n, bytes(after.buffer_bytes(b))) for n, b in after.metadata
    ]
    yield [(s.key, number[s.subgraph]) for s in before.signatures] == [
        (s.key, s.subgraph) for s in after.signatures
    ]
    again = needed(after)
    same = cache(partial(_same_value, before, after))  # signatures share their constants
    yield not (again.ports or again.ends)
    for old, new in zip(map(before.subgraph, order), after.subgraphs, strict=False):
        rows = [old.operator(n) for n in stays.operators[old.index]]
        yield old.name == new.name and len(rows) == len(again.operators[new.index])
        pairs = list(_paired(stays.around(old), (new.inputs, new.outputs)))
        for mine, theirs in zip(rows, new.operators, strict=False):
            yield _facts(before, mine) == _facts(after, theirs)
            pairs += _paired(stays.of(mine), (theirs.inputs, theirs.outputs))
        for one, other in zip(before.signatures, after.signatures, strict=False):
            if one.subgraph == old.index:
                pairs += _named((*one.inputs, *one.outputs), (*other.inputs, *other.outputs))
        for mine_at, theirs_at in set(pairs):
            if min(mine_at, theirs_at) < 0:
                yield mine_at == theirs_at
            else:
                one_is, other_is = old.tensor(mine_at), new.tensor(theirs_at)
                yield _facts_of(one_is) == _facts_of(other_is)
                yield same(one_is.buffer, other_is.buffer)


_Ends = tuple[tuple[int, ...], tuple[int, ...]]


def _paired(old: _Ends, new: _Ends) -> Iterator[tuple[int, int]]:
    """Tensors that must be the same; one without a partner has -2, which no file has."""
    for mine, theirs in zip(old, new, strict=True):
        yield from zip_longest(mine, theirs, fillvalue=_NOBODY)


def _named(
    old: tuple[tuple[str, int], ...], new: tuple[tuple[str, int], ...]
) -> Iterator[tuple[int, int]]:
    for mine, theirs in zip_longest(old, new, fillvalue=("", _NOBODY)):
        yield (mine[1], theirs[1] if mine[0] == theirs[0] else _NOBODY)


_NOBODY = -2


def _facts(model: Model, operator: Operator) -> tuple[object, ...]:
    """What an operator is told, but for the numbers of subgraphs."""
    code = model.operator_codes[operator.table.scalar(schema.Operator.OPCODE_INDEX, "I")]
    if operator.is_custom:
        return code.name, code.version, custom_options(model, operator)
    told = options(model, operator)
    values = {name: v for name, v in told.values.items() if name not in SUBGRAPH_FIELDS}
    return code.code, code.version, told.kind, values


def _facts_of(tensor: Tensor) -> tuple[object, ...]:
    return tensor.name, tensor.dtype, tensor.shape, tensor.has_rank


def _same_value(before: Model, after: Model, old: int, new: int) -> bool:
    return same_bytes(before, old, after, new)
