"""Two models side by side: what the files say, and on request what they compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.variables import Variable
from tflrepair.commands.diff.constants import Constant, compare
from tflrepair.commands.diff.operators import compare_subgraphs, types
from tflrepair.commands.diff.result import Change, DiffResult, OperatorChange, SubgraphDiff
from tflrepair.errors import TflRepairError
from tflrepair.graph.contents import same_bytes
from tflrepair.graph.model import Model, Source
from tflrepair.views.metadata import metadata
from tflrepair.views.options import called_subgraphs, options
from tflrepair.views.tensors import SubgraphView
from tflrepair.wording import dimensions

__all__ = ["Change", "DiffResult", "OperatorChange", "SubgraphDiff", "diff"]


def diff(
    a: AnalysisContext | Source,
    b: AnalysisContext | Source,
    *,
    run: bool = False,
    signature: str | None = None,
    inputs: Any = None,
) -> DiffResult:
    """Compare two models operator by operator.

    Args:
        run: compare the values of every aligned operator, too, computed from one input.
        signature: the one to run; without it the first that both have.
        inputs: for ``run``: an .npz file or a mapping of input name to array.

    Raises:
        BadFileError: one of the files is damaged.
        UserError, UnsupportedError: it cannot be run.
    """
    first, second = context_of(a), context_of(b)
    for context in (first, second):
        _ = context.analysis
    try:
        result = _compare(first, second)
    except TflRepairError as error:
        paths = f"{first.model.path} and {second.model.path}"
        raise error.within(f"comparing {paths}") from None
    if run:
        from tflrepair.commands.diff.run import run_diff

        result = replace(result, run=run_diff(result, signature, inputs))
    return result


def _compare(first: AnalysisContext, second: AnalysisContext) -> DiffResult:
    a, b = first.model, second.model
    views = tuple(tuple(SubgraphView(m, n) for n in range(len(m.subgraphs))) for m in (a, b))
    subgraphs = _subgraphs(a, b, views[0], views[1])
    paired_a, paired_b = {row.a for row in subgraphs}, {row.b for row in subgraphs}
    return DiffResult(
        first=first,
        second=second,
        signatures=tuple(_signatures(a, b, views[0], views[1])),
        subgraphs=subgraphs,
        only_a=tuple(n for n in range(len(a.subgraphs)) if n not in paired_a),
        only_b=tuple(n for n in range(len(b.subgraphs)) if n not in paired_b),
        variables=tuple(_variables(first, second, views[0], views[1])),
        remarks=tuple(_remarks(a, b)),
    )


def _subgraphs(
    a: Model, b: Model, left: tuple[SubgraphView, ...], right: tuple[SubgraphView, ...]
) -> tuple[SubgraphDiff, ...]:
    """Pairs by signature, subgraph 0 with 0, what aligned operators call, then by name."""
    keys = {s.key: s.subgraph for s in b.signatures}
    queue = [(s.subgraph, keys[s.key], s.key) for s in a.signatures if s.key in keys]
    queue += [(0, 0, left[0].subgraph.name)]
    names = {view.subgraph.name: view.subgraph.index for view in right if view.subgraph.name}
    queue_by_name = [
        (view.subgraph.index, names[view.subgraph.name], view.subgraph.name)
        for view in left
        if view.subgraph.name in names
    ]
    found: dict[int, SubgraphDiff] = {}
    taken: set[int] = set()
    while queue or queue_by_name:
        i, j, label = queue.pop(0) if queue else queue_by_name.pop(0)
        if i in found or j in taken or i >= len(left) or j >= len(right):
            continue
        row = found[i] = compare_subgraphs(left[i], right[j], label)
        taken.add(j)
        for p, q in row.pairs:
            calls = [
                called_subgraphs(options(m, v.operator(n)).values)
                for m, v, n in ((a, left[i], p), (b, right[j], q))
            ]
            queue += [
                (x, y, left[x].subgraph.name if x < len(left) else "")
                for x, y in zip(*calls, strict=False)
            ]
    return tuple(found[n] for n in sorted(found))


def _signatures(
    a: Model, b: Model, left: tuple[SubgraphView, ...], right: tuple[SubgraphView, ...]
) -> Iterator[Change]:
    first, second = ({s.key: s for s in m.signatures} for m in (a, b))
    for key in dict.fromkeys([*first, *second]):
        if key not in first or key not in second:
            yield Change.of(
                f"signature {key}", ("there" if key in s else "" for s in (first, second))
            )
            continue
        x, y = first[key], second[key]
        for side in ("inputs", "outputs"):
            p, q = dict(getattr(x, side)), dict(getattr(y, side))
            for name in dict.fromkeys([*p, *q]):
                what = f"{side[:-1]} {name} of {key}"
                if name not in p or name not in q:
                    yield Change.of(what, ("there" if name in s else "" for s in (p, q)))
                else:
                    yield from types(
                        what, left[x.subgraph].tensor(p[name]), right[y.subgraph].tensor(q[name])
                    )


def _variables(
    a: AnalysisContext,
    b: AnalysisContext,
    left: tuple[SubgraphView, ...],
    right: tuple[SubgraphView, ...],
) -> Iterator[Change]:
    first, second = ({v.key: v for v in side.analysis.variables} for side in (a, b))
    for key in dict.fromkeys([*first, *second]):
        what = f"variable {key.shared_name}"
        if key not in first or key not in second:
            yield Change.of(what, ("there" if key in s else "" for s in (first, second)))
            continue
        x, y = first[key], second[key]
        if (x.dtype, x.shape) != (y.dtype, y.shape):
            yield Change.of(what, (f"{v.dtype} {dimensions(v.shape or ())}" for v in (x, y)))
        if x.status != y.status:
            yield Change(what, x.status, y.status)
        yield from _initial(a.model, b.model, left, right, x, y)


def _initial(
    a: Model,
    b: Model,
    left: tuple[SubgraphView, ...],
    right: tuple[SubgraphView, ...],
    x: Variable,
    y: Variable,
) -> Iterator[Change]:
    what = "initial value"
    if x.initial is None or y.initial is None:
        if x.initial is not y.initial:
            there = ["" if v.initial is None else "there" for v in (x, y)]
            yield Change(what, there[0], there[1], name=x.name)
        return
    p, q = (
        Constant(
            views[v.initial.target].tensor(v.initial.tensor),
            ("DEQUANTIZE",) if v.initial.via == "dequantize" else (),
        )
        for views, v in ((left, x), (right, y))
        if v.initial is not None
    )
    change = compare(a, p, b, q, what, x.name, raw=True)
    if change is not None:
        yield change


def _remarks(a: Model, b: Model) -> Iterator[Change]:
    if a.version != b.version:
        yield Change("schema version", str(a.version), str(b.version))
    if a.description != b.description:
        yield Change("description", repr(a.description), repr(b.description))
    first, second = ({e.name: e for e in metadata(m).entries} for m in (a, b))
    for name in dict.fromkeys([*first, *second]):
        x, y = first.get(name), second.get(name)
        if x is None or y is None:
            yield Change.of(f"metadata {name}", ("" if e is None else "there" for e in (x, y)))
        elif x.value != y.value or not same_bytes(a, x.buffer, b, y.buffer):
            yield Change.of(f"metadata {name}", _told(x.value, y.value))
    for p, q in zip_longest(_versions(a).items(), _versions(b).items()):
        if p and q and p[0] == q[0] and p[1] != q[1]:
            yield Change.of(f"version of {p[0]}", (",".join(map(str, v)) for v in (p[1], q[1])))


def _told(x: Any, y: Any) -> tuple[str, str]:
    """What differs of two metadata values: the fields of tables, else all of them."""
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        keys = [key for key in dict.fromkeys([*x, *y]) if x.get(key) != y.get(key)]
        if len(keys) == 1:
            return _told(x.get(keys[0]), y.get(keys[0]))
        x, y = ({key: side.get(key) for key in keys} for side in (x, y))
    return str(x), str(y)


def _versions(model: Model) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in model.operator_codes:
        found.setdefault(row.name, []).append(row.version)
    return {name: sorted(found[name]) for name in sorted(found)}
