"""The difference of two models for people: what is gone, new or changed, and where values part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tflrepair.commands.diff.result import (
    Change,
    DiffResult,
    OperatorChange,
    RunDiff,
    SubgraphDiff,
    ValueGap,
)
from tflrepair.graph.model import Model
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator
from tflrepair.report import layout
from tflrepair.report.style import Style, safe
from tflrepair.report.width import cells
from tflrepair.wording import grouped, megabytes, plural, share

_LIST = 30


def lines(result: DiffResult, style: Style, *, width: int, everything: bool) -> Iterator[str]:
    """The whole report. ``everything``: leave nothing out of lists."""
    limit = None if everything else _LIST
    for name, model in (("A", result.a), ("B", result.b)):
        count = sum(s.operator_count for s in model.subgraphs)
        yield (
            f"{name}  {style(safe(model.path or 'model'), 'bold')}  {megabytes(model.size)}, "
            f"{plural(count, 'operator')}"
        )
    yield from _block("Signatures", result.signatures, style, width, limit)
    for row in result.subgraphs:
        yield from _subgraph(result, row, style, width, limit)
    for name, model, indices in (("A", result.a, result.only_a), ("B", result.b, result.only_b)):
        if indices:
            listed = ", ".join(f"{n} {safe(model.subgraph(n).name)}" for n in indices[:8])
            yield ""
            yield from layout.wrap(f"Only in {name}: subgraph {listed}", "", width, "  ")
    yield from _block("Variables", result.variables, style, width, limit)
    if result.run is not None:
        yield from _run(result, result.run, style, width, limit)
    yield from _block("Besides (no answer changes)", result.remarks, style, width, limit)
    yield ""
    yield _verdict(result, style)


def _block(
    title: str, changes: Sequence[Change], style: Style, width: int, limit: int | None
) -> Iterator[str]:
    if not changes:
        return
    yield ""
    yield f"{style(title, 'bold')}"
    for change in changes[:limit]:
        yield from change_lines(change, width, "  ")
    yield from _more(len(changes), limit)


def change_lines(change: Change, width: int, indent: str) -> Iterator[str]:
    """``option stride_w: 1 -> 2``; for values also how far they are apart."""
    a, b = change.a or "(none)", change.b or "(none)"
    what = safe(change.what)
    if change.name:
        what += f" {layout.short(change.name, 44)!r}"
    if change.max_abs == 0:
        text = f"{what}: the same numbers, stored differently"
        text += f": {safe(a)} -> {safe(b)}" if a != b else " (scales differ)"
    elif change.max_abs is not None:
        text = f"{what}: values differ by up to {layout.number(change.max_abs)}"
        text += f", {layout.number(change.mean_abs)} on average"
        text += f" (A's go up to {layout.number(change.scale)})"
        if a != b:
            text += f"; {safe(a)} -> {safe(b)}"
    elif b == "there" or a == "there":
        text = f"{what}: only in {'B' if b == 'there' else 'A'}"
    else:
        text = f"{what}: {safe(a)} -> {safe(b)}"
    yield from layout.wrap(text, indent, width, indent + "  ")


def _subgraph(
    result: DiffResult, row: SubgraphDiff, style: Style, width: int, limit: int | None
) -> Iterator[str]:
    if row.same and len(result.subgraphs) > 1 and not row.renamed:
        return
    yield ""
    numbers = str(row.a) if row.a == row.b else f"{row.a} (A), {row.b} (B)"
    title = f"Subgraph {numbers}" + (f" {layout.short(row.label, 40)}" if row.label else "")
    alike = len(row.pairs) - len(row.changed)
    parts = [f"{plural(alike, 'operator')} the same"]
    parts += [
        f"{grouped(n)} {word}"
        for n, word in (
            (len(row.changed), "changed"), (len(row.removed), "only in A"),
            (len(row.inserted), "only in B"),
        )
        if n
    ]  # fmt: skip
    yield f"{style(title, 'bold')}  {', '.join(parts)}"
    if row.renamed:
        named = plural(row.renamed, "output has another name", "outputs have other names")
        yield f"  {named}, which changes nothing"
    if any(row.unpacking):
        a, b = (grouped(n) for n in row.unpacking)
        yield f"  not counted: {a} (A) and {b} (B) that only unpack constants"
    for change in row.ports:
        yield from change_lines(change, width, "  ")
    for name, operators in (("A", row.removed), ("B", row.inserted)):
        if len(operators) > 6:
            kinds = Counter(o.name for o in operators).most_common(8)
            listed = ", ".join(f"{safe(kind)} {count}" for kind, count in kinds)
            yield from layout.wrap(f"only in {name}: {listed}", "  ", width, "    ")
    for item in _in_order(row)[:limit]:
        yield from _item(result, item, style, width)
    total = len(row.changed) + len(row.removed) + len(row.inserted)
    yield from _more(total, limit)


_Item = tuple[str, Operator, OperatorChange | None]


def _in_order(row: SubgraphDiff) -> list[_Item]:
    """Changed, removed and inserted operators in the order of the graph, both sides woven."""
    partner = dict(row.pairs)
    place = {j: i for i, j in partner.items()}
    rows: list[tuple[tuple[float, int, int], _Item]] = []
    rows += [((c.a.index, 1, 0), ("~", c.a, c)) for c in row.changed]
    rows += [((o.index, 1, 0), ("-", o, None)) for o in row.removed]
    last = -1.0
    known = {o.index for o in row.inserted}
    behind: dict[int, float] = {}
    for index in range(max([*known, *place, -1]) + 1):
        last = place.get(index, last)
        behind[index] = last
    rows += [((behind[o.index] + 0.5, 2, o.index), ("+", o, None)) for o in row.inserted]
    return [item for _, item in sorted(rows, key=lambda pair: pair[0])]


def _item(result: DiffResult, item: _Item, style: Style, width: int) -> Iterator[str]:
    mark, operator, change = item
    colour = {"-": "red", "+": "green", "~": "yellow"}[mark]
    model = result.b if mark == "+" else result.a
    head = f"  {style(mark, colour)} {operator.index} {safe(operator.name)}"
    if change is not None and change.a.index != change.b.index:
        head += f" (B {change.b.index})"
    room = max(12, width - cells(head) - 2)
    yield f"{head}  {layout.short(output(model, operator), room)}".rstrip()
    for row in change.changes if change is not None else ():
        yield from change_lines(row, width, "      ")


def output(model: Model, operator: Operator) -> str:
    """Name and type of the operator's first output."""
    if not operator.outputs or operator.outputs[0] < 0:
        return ""
    tensor = model.subgraph(operator.subgraph).tensor(operator.outputs[0])
    return f"{tensor.name or '(no name)'}"


def _run(
    result: DiffResult, run: RunDiff, style: Style, width: int, limit: int | None
) -> Iterator[str]:
    yield ""
    yield from layout.wrap(
        f"{style('Run', 'bold')}  {safe(run.label)} on {run.inputs}, builtin kernels of "
        f"{run.runtime}: {plural(run.compared, 'tensor')} compared", "", width, "  ",
    )  # fmt: skip
    if run.missing:
        name, why = run.missing[0]
        text = f"{len(run.missing)} not compared: {safe(name)} ({safe(why)})"
        yield from layout.wrap(text + (", ..." if len(run.missing) > 1 else ""), "  ", width)
    if not run.gaps:
        yield "  all equal to the bit"
        if any(not row.same for row in result.subgraphs) or result.variables:
            yield from layout.wrap(
                "what differs in the files does not show on this input; try another: --inputs "
                "IN.npz", "  ", width,
            )  # fmt: skip
        return
    fault = run.fault
    if fault is None:
        gap = max(run.gaps, key=lambda g: g.max_abs / (g.scale or 1))
        yield from layout.wrap(
            f"{plural(len(run.gaps), 'differs', 'differ')} by no more than rounding, most "
            f"{gap.a.index} {safe(gap.a.name)}: {_apart(gap)}", "  ", width,
        )  # fmt: skip
        return
    yield from _fault(result, run, fault, style, width)
    beyond = [gap for gap in run.gaps if gap.beyond]
    count = share(len(beyond), run.compared, "tensor", "differs", "differ")
    yield f"  {count}; the first ones:"
    few = beyond if limit is None else beyond[: limit // 3]
    rows = [
        ("*" if gap.at_fault else "", str(gap.a.index), gap.a.name, *_figures(gap)) for gap in few
    ]
    yield from layout.columns(
        [("", "", "* at fault", "largest", "mean", "of values to"), *rows], width, 2,
        right=(1, 3, 4, 5),
    )  # fmt: skip


def _figures(gap: ValueGap) -> tuple[str, str, str]:
    if gap.text:
        return "shape", "", ""
    a, b, c = (layout.number(n) for n in (gap.max_abs, gap.mean_abs, gap.scale))
    return a, b, c


def _fault(
    result: DiffResult, run: RunDiff, fault: ValueGap, style: Style, width: int
) -> Iterator[str]:
    head = style("first at fault", "red", "bold")
    name = output(result.a, fault.a)
    both = "" if fault.a.index == fault.b.index else f" ({fault.b.index} in B)"
    yield from layout.wrap(
        f"{head}: operator {fault.a.index}{both} {safe(fault.a.name)}, output "
        f"{layout.short(name, 200)!r}: {_apart(fault)}", "  ", width, "    ",
    )  # fmt: skip
    yield "    all that it computes from agrees"
    pair = next(
        (r for r in result.subgraphs if r.a == fault.a.subgraph and r.b == fault.b.subgraph), None
    )
    if pair is None:
        return
    for row in pair.changed:
        if row.a.index == fault.a.index:
            yield "    and the files differ here:"
            for change in row.changes:
                yield from change_lines(change, width, "      ")
    near = [
        f"{side} {operator.index} {safe(operator.name)}"
        for side, rows, target, model in (
            ("A", pair.removed, fault.a, result.a), ("B", pair.inserted, fault.b, result.b)
        )
        for operator in rows
        if set(operator.outputs) & set(target.inputs) and model
    ]  # fmt: skip
    if near:
        yield from layout.wrap(
            "its inputs pass through what only one side has: " + ", ".join(near[:6]), "    ", width
        )
    yield from _inside(result, fault, width)


def _inside(result: DiffResult, fault: ValueGap, width: int) -> Iterator[str]:
    """The differences inside the subgraphs that the operator runs: a loop's body, a branch."""
    seen: set[int] = set()
    queue = list(called_subgraphs(fault.a))
    while queue:
        index = queue.pop(0)
        if index in seen:
            continue
        seen.add(index)
        queue += [n for o in result.a.subgraphs[index].operators for n in called_subgraphs(o)]
        for pair in result.subgraphs:
            if pair.a == index and not pair.same:
                told = f"it runs subgraph {index}, where the files differ"
                rows = [*pair.removed, *pair.inserted, *(row.a for row in pair.changed)]
                kinds = [f"{row.index} {safe(row.name)}" for row in rows[:4]]
                text = told + (": operator " + ", ".join(kinds) if kinds else "")
                yield from layout.wrap(text, "    ", width)


def _apart(gap: ValueGap) -> str:
    if gap.text:
        return gap.text
    a, b, c = (layout.number(n) for n in (gap.max_abs, gap.mean_abs, gap.scale))
    return f"off by up to {a} (mean {b}), values up to {c}"


def _verdict(result: DiffResult, style: Style) -> str:
    if result.same:
        return style("No difference that changes an answer.", "green")
    parts = []
    operators = sum(len(r.changed) + len(r.removed) + len(r.inserted) for r in result.subgraphs)
    for count, word in (
        (len(result.signatures), "in signatures"),
        (operators, "in operators"),
        (len(result.variables), "in variables"),
    ):
        if count:
            parts.append(f"{grouped(count)} {word}")
    if result.run is not None and not result.run.same:
        parts.append("values differ")
    return style(f"They differ: {', '.join(parts) or 'in their subgraphs'}.", "yellow")


def _more(count: int, limit: int | None) -> Iterator[str]:
    if limit is not None and count > limit:
        yield f"  and {grouped(count - limit)} more (--all)"
