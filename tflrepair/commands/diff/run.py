"""Where two models first differ in value: operator by operator, on one input.

An operator is at fault if its outputs differ and all that it computes from agrees. What comes
behind differs because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tflrepair.commands.diff.constants import distance
from tflrepair.commands.diff.result import DiffResult, RunDiff, SubgraphDiff, ValueGap
from tflrepair.errors import UnsupportedError, UserError
from tflrepair.execution import inputs as made
from tflrepair.execution.compare import ATOL, RTOL
from tflrepair.execution.entries import RunTarget, run_targets
from tflrepair.graph.subgraph import Operator
from tflrepair.leftovers import workspace
from tflrepair.tracing.trace import Trace, trace
from tflrepair.views.tensors import SubgraphView
from tflrepair.views.values import real
from tflrepair.wording import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray


def run_diff(result: DiffResult, signature: str | None, inputs: Any) -> RunDiff:
    """Run one signature of both models on the same input.

    Raises:
        UserError: no such signature, inputs that do not fit, or inputs that cannot be made up.
        UnsupportedError: a model cannot be run here.
    """
    first, second = _targets(result, signature)
    pair = next(
        (row for row in result.subgraphs if (row.a, row.b) == (first.subgraph, second.subgraph)),
        None,
    )
    if pair is None:
        raise UserError("the two signatures have no subgraphs that can be aligned")
    values, told = _values(first, inputs)
    others = _for_other(values, first, second)
    views = SubgraphView(result.a, pair.a), SubgraphView(result.b, pair.b)
    outputs = list(_outputs(views[0], views[1], pair))
    with workspace() as place:
        folders = place / "a", place / "b"
        for folder in folders:
            folder.mkdir()
        try:
            left = trace(result.a, first, values, (row[3] for row in outputs), folders[0])
            right = trace(result.b, second, others, (row[4] for row in outputs), folders[1])
        except UnsupportedError as error:
            if inputs is None and any(-1 in port.tensor.shape for port in first.inputs):
                error.hint = "open dimensions of the made-up input are 1; give --inputs IN.npz"
            raise
        return _compare(first.label, told, views, outputs, left, right)


def _targets(result: DiffResult, signature: str | None) -> tuple[RunTarget, RunTarget]:
    first, second = result.first, result.second
    if signature is not None:
        return run_targets(first, signature)[0], run_targets(second, signature)[0]
    left, right = run_targets(first), run_targets(second)
    keys = {entry.signature: entry for entry in right}
    for entry in left:
        if entry.signature in keys:
            return entry, keys[entry.signature]
    return left[0], right[0]


def _values(entry: RunTarget, inputs: Any) -> tuple[dict[str, NDArray[Any]], str]:
    if inputs is not None:
        given = made.select(made.read(inputs, "--inputs"), entry, entry.inputs)
        missing = [port.text for port in entry.inputs if port.name not in given]
        if missing:
            raise UserError(f"--inputs lacks {missing[0]}", where=entry.label)
        return made.fit(given, entry), "the given input"
    reason = made.cannot_make_up(entry)
    if reason:
        raise UserError(f"{entry.label} {reason}", hint="give --inputs IN.npz")
    return made.random(entry), "a made-up input"


def _for_other(
    values: Mapping[str, NDArray[Any]], first: RunTarget, second: RunTarget
) -> dict[str, NDArray[Any]]:
    """The same arrays under the other model's names; by position where names differ."""
    if len(first.inputs) != len(second.inputs):
        raise UserError(
            f"{first.label} takes {plural(len(first.inputs), 'input')} in A and "
            f"{len(second.inputs)} in B"
        )
    names = {port.name for port in second.inputs}
    if names == values.keys():
        rows = dict(values)
    else:
        rows = {
            theirs.name: values[ours.name]
            for ours, theirs in zip(first.inputs, second.inputs, strict=True)
        }
    return made.fit(rows, second)


# operator of A, operator of B, place of the output, tensor of A, tensor of B
_Row = tuple[Operator, Operator, int, int, int]


def _outputs(a: SubgraphView, b: SubgraphView, pair: SubgraphDiff) -> Iterable[_Row]:
    for i, j in pair.pairs:
        left, right = a.operator(i), b.operator(j)
        for place, (x, y) in enumerate(zip(left.outputs, right.outputs, strict=False)):
            skipped = ("resource", "variant", "string")
            if x >= 0 and y >= 0 and a.subgraph.tensor(x).dtype not in skipped:
                yield left, right, place, x, y


def _compare(
    label: str,
    told: str,
    views: tuple[SubgraphView, SubgraphView],
    outputs: list[_Row],
    left: Trace,
    right: Trace,
) -> RunDiff:
    gaps, missing = [], []
    wrong: set[int] = set()  # tensors of A that differ, or come from what differs
    compared = 0
    rows: dict[int, list[_Row]] = {}
    for row in outputs:
        rows.setdefault(row[0].index, []).append(row)
    for operator in views[0].subgraph.operators:
        tainted = not wrong.isdisjoint(operator.inputs)
        seen = set()
        for a, b, place, x, y in rows.get(operator.index, ()):
            p, q = left.value(x), right.value(y)
            if p is None or q is None:
                name = views[0].subgraph.tensor(x).name
                missing.append((name, left.missing.get(x) or right.missing.get(y) or "too large"))
                continue
            compared += 1
            seen.add(x)
            gap = _gap(views, a, b, place, (x, y), (p, q), not tainted)
            gaps += [gap] if gap is not None else []
            if gap is not None and gap.beyond:
                wrong.add(x)
        if tainted:
            wrong.update(t for t in operator.outputs if t not in seen)
    return RunDiff(label, left.runtime, told, compared, tuple(gaps), tuple(missing))


def _gap(
    views: tuple[SubgraphView, SubgraphView],
    a: Operator,
    b: Operator,
    place: int,
    tensors: tuple[int, int],
    values: tuple[NDArray[Any], NDArray[Any]],
    fine: bool,
) -> ValueGap | None:
    x, y = (view.tensor(t) for view, t in zip(views, tensors, strict=True))
    if values[0].shape != values[1].shape:
        text = f"shape {list(values[0].shape)} against {list(values[1].shape)}"
        inf = float("inf")
        return ValueGap(a, b, place, inf, inf, 0.0, True, fine, text)
    numbers = [
        found if found is not None else value
        for value, tensor in zip(values, (x, y), strict=True)
        for found in [real(value, tensor.quantization)]
    ]
    largest, mean, scale = distance(numbers[0], numbers[1])
    if largest == 0:
        return None
    beyond = largest > ATOL + RTOL * scale
    return ValueGap(a, b, place, largest, mean, scale, beyond, fine)
