"""Operators and tensors for people: one line each, or everything about a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflrepair.analysis.variables import Variable
from tflrepair.commands.show import Shown
from tflrepair.errors import TflRepairError
from tflrepair.graph.subgraph import Operator
from tflrepair.report import layout
from tflrepair.report.style import Style, safe
from tflrepair.report.width import cells, pad
from tflrepair.views.options import called_subgraphs, options
from tflrepair.views.tensors import CONSTANT, SubgraphView, TensorView
from tflrepair.views.values import Array, Stats, array, real, statistics
from tflrepair.wording import dimensions, grouped, megabytes, plural

_BLOCKS = 20
_SHOWN_VALUES = 1000  # numpy's own threshold for leaving out the middle
_NEIGHBOURS = 4


def operator_list(view: SubgraphView, rows: Sequence[Operator], width: int) -> Iterator[str]:
    """A line for each operator: index, kind, name and type of its first output (or input).

    Columns are as wide as the first thousand rows need, so that the list can be long.
    """
    head = rows[:1000]
    kind = min(26, max((cells(safe(o.name)) for o in head), default=8))
    digits = len(str(rows[-1].index)) if rows else 1
    for operator in rows:
        name = type_ = ""
        if not operator.outputs and operator.inputs and operator.inputs[0] >= 0:
            name = "<- " + layout.short(view.subgraph.tensor(operator.inputs[0]).name, 40)
        elif operator.outputs and operator.outputs[0] >= 0:
            tensor = view.subgraph.tensor(operator.outputs[0])
            name = tensor.name or f"#{tensor.index}"
            type_ = f"{tensor.dtype} {dimensions(tensor.shape)}"
            if len(operator.outputs) > 1:
                type_ += f" +{len(operator.outputs) - 1}"
        room = max(12, width - 2 - digits - 1 - kind - 2 - 2 - 28)
        yield (
            f"  {operator.index:>{digits}} {pad(layout.short(operator.name, kind), kind)}  "
            f"{pad(layout.short(name, room), room)}  {type_}"
        ).rstrip()


def focused(shown: Shown, style: Style, width: int, everything: bool) -> Iterator[str]:
    """The operators that were asked for, in detail."""
    operators = shown.operators or ()
    rows = operators if everything else operators[:_BLOCKS]
    for number, operator in enumerate(rows):
        if number:
            yield ""
        yield from operator_block(shown, operator, style, width)
    if len(operators) > len(rows):
        yield ""
        yield f"and {grouped(len(operators) - len(rows))} more (--all)"


def operator_block(shown: Shown, operator: Operator, style: Style, width: int) -> Iterator[str]:
    view = shown.views[operator.subgraph]
    here = shown.focus == operator.index
    title = f"{operator.index} {safe(operator.name)}"
    version = _version(shown, operator)
    keys = shown.signatures_of(operator.subgraph)
    place = f"subgraph {operator.subgraph}" + (f" ({', '.join(map(safe, keys))})" if keys else "")
    yield f"{style(('> ' if here else '') + title, 'bold')}  {layout.short(place, 40)}{version}"
    found = options(shown.model, operator)
    if found.kind:
        text = ", ".join(
            f"{safe(k)} {layout.value(v)}" for k, v in found.values.items() if v != b""
        )
        yield from layout.wrap(f"{found.kind}: {text}" if text else found.kind, "  ", width, "    ")
    for target in called_subgraphs(found.values):
        name = shown.views[target].subgraph.name if target < len(shown.views) else "does not exist"
        yield f"  calls subgraph {target}  {layout.short(name, width - 30)}"
    for side, tensors in (("in", operator.inputs), ("out", operator.outputs)):
        for place_, index in enumerate(tensors):
            if index < 0:
                yield f"  {side:<4}{place_}  (left out)"
                continue
            yield from _port(shown, view, f"  {side:<4}{place_}  ", view.tensor(index), width)


def _version(shown: Shown, operator: Operator) -> str:
    from tflrepair.format import schema

    code = operator.table.scalar(schema.Operator.OPCODE_INDEX, "I")
    return f"  version {shown.model.operator_codes[code].version}"


def _port(
    shown: Shown, view: SubgraphView, lead: str, tensor: TensorView, width: int
) -> Iterator[str]:
    type_ = f"{tensor.dtype} {dimensions(tensor.open_shape)}"
    room = max(16, width - len(lead) - len(type_) - 2)
    name = tensor.name or "(no name)"
    yield f"{lead}{pad(layout.short(name, room), min(room, 40))}  {type_}".rstrip()
    indent = " " * len(lead)
    told = [f"#{tensor.index}", _part(view, tensor)]
    if tensor.quantization:
        told.append(quantized(tensor.quantization))
    if tensor.sparsity:
        told.append("sparse")
    yield from layout.wrap(", ".join(told), indent, width)
    if tensor.role == CONSTANT:
        yield from layout.wrap(constant_line(shown, tensor), indent, width)


def quantized(values: Mapping[str, Any] | None) -> str:
    """``scale 0.0078 zero 128``, or ``32 scales`` for one each slice."""
    if not values:
        return ""
    if values["details"]:
        return str(values["details"]["type"])
    scales, zeros = values["scale"], values["zero_point"] or (0,)
    if not scales:
        return f"min {layout.number(values['min'][0])}"
    if len(scales) == 1:
        return f"scale {layout.number(scales[0])} zero {zeros[0]}"
    return f"{plural(len(scales), 'scale')}, axis {values['quantized_dimension']}"


def _part(view: SubgraphView, tensor: TensorView) -> str:
    """Where the tensor comes from and goes to."""
    if tensor.role == CONSTANT:
        return f"constant, buffer {tensor.buffer}, {megabytes(tensor.stored)}"
    text = tensor.role
    if tensor.maker is not None:
        text = f"from {tensor.maker} {safe(view.operator(tensor.maker).name)}"
    if tensor.takers:
        listed = [f"{n} {safe(view.operator(n).name)}" for n in tensor.takers[:_NEIGHBOURS]]
        more = len(tensor.takers) - _NEIGHBOURS
        text += ", to " + ", ".join(listed) + (f" and {grouped(more)} more" if more > 0 else "")
    return text + (", output of the subgraph" if tensor.is_output else "")


def constant_line(shown: Shown, tensor: TensorView) -> str:
    """``min -1.2, max 0.9, ...`` or why there are no values."""
    try:
        values = array(shown.model, tensor)
    except TflRepairError as error:
        return f"no values: {safe(error.message)}"
    return stats_text(statistics(values), values)


def stats_text(stats: Stats, values: Array) -> str:
    if values.size <= 4 and values.dtype != object:
        text = ", ".join(layout.number(v.item() if hasattr(v, "item") else v) for v in values.flat)
        return f"value {text}" if values.size else "no elements"
    if values.dtype == object:
        texts = [safe(v[:40].decode("utf-8", "replace")) for v in values.flat[:3]]
        more = ", ..." if stats.count > len(texts) else ""
        return f"{plural(stats.count, 'string')}: " + ", ".join(f"'{t}'" for t in texts) + more
    parts = [f"min {layout.number(stats.min)}", f"max {layout.number(stats.max)}",
             f"mean {layout.number(stats.mean)}"]  # fmt: skip
    if stats.zeros == stats.count:
        parts = ["all zero"]
    elif stats.zeros:
        parts.append(plural(stats.zeros, "zero"))
    parts += [f"{n} {word}" for n, word in ((stats.nan, "NaN"), (stats.inf, "Inf")) if n]
    return ", ".join([*parts, f"sha256 {stats.sha256}"])


def constant_rows(shown: Shown, width: int, limit: int | None) -> Iterator[str]:
    """The largest constants, each with its figures."""
    rows = [row for row in shown.sizes.buffers if row.tensors]
    rows = [row for row in rows if any(s in shown.chosen for s, _ in row.tensors)]
    if not rows:
        return
    total = max(1, shown.sizes.weights)
    yield f"{grouped(len(rows))}, largest first"
    for row in rows[:limit]:
        subgraph, index = next((s, t) for s, t in row.tensors if s in shown.chosen)
        tensor = shown.views[subgraph].tensor(index)
        type_ = f"{tensor.dtype} {dimensions(tensor.shape)}"
        size = f"{megabytes(row.stored):>9} {100 * row.stored / total:3.0f} %"
        room = max(16, width - 4 - len(size) - len(type_) - 2)
        yield f"  {size}  {layout.short(tensor.name or f'#{index}', room)}  {type_}"
        where = ", ".join(map(safe, row.kinds[:3])) or "no operator reads it"
        yield from layout.wrap(f"{where}; {constant_line(shown, tensor)}", " " * 18, width)
    if limit is not None and len(rows) > limit:
        yield f"  and {grouped(len(rows) - limit)} more (--all)"


def tensor_blocks(
    shown: Shown, style: Style, width: int, everything: bool, values: bool
) -> Iterator[str]:
    """Tensors and variables that were asked for; with their values if wished."""
    blocks = 0
    tensors, variables = list(shown.tensors or ()), list(shown.variables or ())
    known = {(t.subgraph, t.index) for t in tensors}
    for variable in variables if everything else variables[:_BLOCKS]:
        if blocks:
            yield ""
        blocks += 1
        yield from _variable_block(shown, variable, style, width)
        if variable.initial is not None:
            place = (variable.initial.target, variable.initial.tensor)
            if place not in known:
                known.add(place)
                tensors.append(shown.views[place[0]].tensor(place[1]))
    for tensor in tensors if everything else tensors[:_BLOCKS]:
        if blocks:
            yield ""
        blocks += 1
        yield from _tensor_block(shown, tensor, style, width, everything, values)
    left = len(tensors) + len(variables) - blocks
    if left > 0:
        yield ""
        yield f"and {grouped(left)} more (--all, or a longer name)"


def _variable_block(shown: Shown, variable: Variable, style: Style, width: int) -> Iterator[str]:
    shape = "?" if variable.shape is None else dimensions(variable.shape)
    yield f"{style('variable ' + safe(variable.name), 'bold')}"
    yield f"  {variable.dtype or '?'} {shape}, {variable.status}"
    for verb, sites in (
        ("read by", variable.read_by),
        ("assigned by", variable.assigned_by),
    ):
        if sites:
            listed = [f"subgraph {s.subgraph} operator {s.operator}" for s in sites[:_NEIGHBOURS]]
            more = len(sites) - _NEIGHBOURS
            text = ", ".join(listed) + (f" and {grouped(more)} more" if more > 0 else "")
            yield from layout.wrap(f"{verb} {text}", "  ", width, "    ")
    if variable.initial is None:
        yield "  no initial value in the file"


def _tensor_block(
    shown: Shown, tensor: TensorView, style: Style, width: int, everything: bool, values: bool
) -> Iterator[str]:
    view = shown.views[tensor.subgraph]
    yield from layout.wrap(style(safe(tensor.name) or "(no name)", "bold"), "", width, "  ")
    yield f"  tensor {tensor.index} of subgraph {tensor.subgraph}"
    yield f"  {tensor.dtype} {dimensions(tensor.open_shape)}" + (
        "" if tensor.has_rank or tensor.open_shape else " (or of unknown rank)"
    )
    if tensor.signature is not None and tensor.signature != tensor.shape:
        yield f"  runs as {dimensions(tensor.shape)} unless it is resized"
    yield from layout.wrap(_part(view, tensor), "  ", width, "    ")
    if tensor.role == CONSTANT and tensor.takers:
        listed = [f"{n} {safe(view.operator(n).name)}" for n in tensor.takers[:_NEIGHBOURS]]
        yield from layout.wrap("read by " + ", ".join(listed), "  ", width, "    ")
    if tensor.quantization:
        yield f"  quantized: {quantized(tensor.quantization)}"
    if tensor.sparsity:
        yield from layout.wrap(f"sparse: {layout.value(tensor.sparsity)}", "  ", width, "    ")
    if tensor.role != CONSTANT:
        return
    try:
        found = array(shown.model, tensor)
    except TflRepairError as error:
        yield f"  no values: {safe(error.message)}"
        return
    yield from layout.wrap(stats_text(statistics(found), found), "  ", width, "    ")
    if values:
        yield from _values(found, tensor, width, everything)


def _values(found: Array, tensor: TensorView, width: int, everything: bool) -> Iterator[str]:
    import sys

    import numpy as np

    if found.dtype == object:
        rows = list(found.flat)
        for text in rows if everything else rows[:_SHOWN_VALUES]:
            yield "  " + safe(text.decode("utf-8", "backslashreplace"))
        return
    most = sys.maxsize if everything else _SHOWN_VALUES
    for title, values in (("", found), ("as real numbers:", real(found, tensor.quantization))):
        if values is None:
            continue
        if title:
            yield f"  {title}"
        text = np.array2string(values, max_line_width=width - 2, threshold=most)
        yield from (f"  {line}" for line in text.splitlines())
