"""A model for people: what it needs, takes, gives, holds, and where its bytes are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflrepair.commands.show import Shown
from tflrepair.report import layout
from tflrepair.report.show.graph import (
    constant_rows,
    focused,
    operator_list,
    quantized,
    tensor_blocks,
)
from tflrepair.report.style import Style, safe
from tflrepair.views.metadata import CONVERSION, MIN_RUNTIME, TFLITE, MetadataEntry
from tflrepair.views.sizes import repeated
from tflrepair.wording import dimensions, grouped, megabytes, plural

_LIST = 12
_OPERATORS = 30
_PORTS = 200


def render(shown: Shown, style: Style, *, width: int, everything: bool, values: bool) -> str:
    """The whole report, without a trailing newline.

    Args:
        everything: leave nothing out of lists.
        values: of the tensors asked for.
    """
    return "\n".join(lines(shown, style, width=width, everything=everything, values=values))


def lines(
    shown: Shown, style: Style, *, width: int, everything: bool, values: bool
) -> Iterator[str]:
    if shown.tensors is not None:
        yield from tensor_blocks(shown, style, width, everything, values)
        return
    if shown.operators is not None:
        yield from focused(shown, style, width, everything)
        return
    limit = None if everything else _LIST
    yield from _facts(shown, style, width)
    for title, block in (
        ("Signatures", _signatures(shown, width, limit)),
        ("Subgraphs", _subgraphs(shown, width, limit)),
        ("Operators", _kinds(shown, width, limit)),
        ("Size", _size(shown, width, everything)),
        ("Constants", constant_rows(shown, width, limit)),
        ("Variables", _variables(shown, width, limit)),
    ):
        rows = list(block)
        if rows:
            yield ""
            head, _, rest = rows[0].partition("\n")
            yield f"{style(title, 'bold')}  {head}".rstrip()
            yield from ([rest] if rest else [])
            yield from rows[1:]
    yield from _graph(shown, style, width, everything)


def _facts(shown: Shown, style: Style, width: int) -> Iterator[str]:
    model = shown.model
    yield f"{style(safe(model.path or 'model'), 'bold')}  {megabytes(model.size)}"
    rows = [("schema", f"{model.version}, {model.description!r}")]
    for name, text in _origin(shown):
        rows.append((name, text))
    constants, variables = shown.parameters
    text = f"{grouped(constants)} in constants"
    if variables:
        text += f", {grouped(variables)} in variables"
    rows.append(("parameters", text))
    names = {o.name: o for view in shown.views for o in view.subgraph.operators}
    flex = sorted(name for name, o in names.items() if o.is_flex)
    custom = sorted(name for name, o in names.items() if o.is_custom and not o.is_flex)
    if flex:
        rows.append(("Flex", ", ".join(flex) + " (need the Flex delegate)"))
    if custom:
        rows.append(("custom", ", ".join(custom) + " (need their own kernels)"))
    for name, text in rows:
        yield from layout.wrap(safe(text), f"  {name:<12}", width, " " * 14)


def _origin(shown: Shown) -> Iterator[tuple[str, str]]:
    found = shown.metadata
    for entry in found.entries:
        if entry.problem:
            yield "damaged", f"metadata {entry.name}: {entry.problem}"
        elif entry.name == MIN_RUNTIME and isinstance(entry.value, str):
            yield "runtime", f"{entry.value} or newer" if entry.value else "version not given"
        elif entry.name == CONVERSION and isinstance(entry.value, Mapping):
            yield "made by", _conversion(entry.value)
        elif entry.name == TFLITE and isinstance(entry.value, Mapping):
            yield from _described(entry.value)
        elif isinstance(entry.value, str):
            yield "metadata", f"{entry.name} = {entry.value}"
        else:
            yield "metadata", f"{entry.name} ({_bytes(entry)})"
    if found.files:
        text = ", ".join(f"{f.name} ({megabytes(f.size)})" for f in found.files[:_LIST])
        more = len(found.files) - _LIST
        yield (
            "files",
            text + (f" and {grouped(more)} more" if more > 0 else "") + ", in a ZIP at the end",
        )


def _bytes(entry: MetadataEntry) -> str:
    return megabytes(entry.length)


def _conversion(value: Mapping[str, Any]) -> str:
    environment, options = value.get("environment") or {}, value.get("options") or {}
    parts = [f"TensorFlow {environment.get('tensorflow_version') or '(version not given)'}"]
    if environment.get("model_type") not in (None, "NONE"):
        parts.append(f"from {environment['model_type']}")
    modes = options.get("model_optimization_modes") or ()
    parts += [str(mode) for mode in modes]
    parts += [name for name in ("allow_custom_ops", "enable_select_tf_ops", "force_select_tf_ops")
              if options.get(name)]  # fmt: skip
    return ", ".join(parts)


def _described(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("name", "version", "author", "description", "license"):
        if value.get(name):
            yield name, " ".join(str(value[name]).split())
    for graph in value.get("subgraph_metadata") or ():
        for side, key in (("in", "input_tensor_metadata"), ("out", "output_tensor_metadata")):
            for tensor in graph.get(key) or ():
                units = [u["options"] for u in tensor.get("process_units") or () if u["options"]]
                told = ", ".join(
                    f"{u['type']} " + " ".join(
                        f"{k} {layout.value(v)}" for k, v in u.items() if k != "type"
                    )
                    for u in units
                )  # fmt: skip
                text = f"{tensor.get('name') or '-'}: {tensor.get('description') or ''}".strip()
                yield f"model {side}", " ".join(f"{text} {told}".split())


def _signatures(shown: Shown, width: int, limit: int | None) -> Iterator[str]:
    rows = [s for s in shown.model.signatures if s.subgraph in shown.chosen]
    if not rows:
        yield "none; runtimes run subgraph 0"
        graph = shown.model.subgraph(0)
        sides = [("in", "", t) for t in graph.inputs] + [("out", "", t) for t in graph.outputs]
        yield from _ports(shown, 0, sides, width)
        return
    yield str(len(rows))
    for row in rows[:limit]:
        yield f"  {layout.short(row.key, width - 20)}  (subgraph {row.subgraph})"
        sides = [("in", *pair) for pair in row.inputs] + [("out", *pair) for pair in row.outputs]
        yield from _ports(shown, row.subgraph, sides, width)
    yield from _more(len(rows), limit)


def _ports(
    shown: Shown, subgraph: int, sides: Sequence[tuple[str, str, int]], width: int
) -> Iterator[str]:
    """Inputs and outputs: (side, name in the signature or empty, tensor)."""
    rows = []
    for side, name, index in sides[:_PORTS]:
        tensor = shown.views[subgraph].tensor(index)
        scale = quantized(tensor.quantization)
        type_ = f"{tensor.dtype} {dimensions(tensor.open_shape)} {scale}".rstrip()
        rows.append((side, name or tensor.name, type_))
    yield from layout.columns(rows, width, 1, "    ")
    if len(sides) > _PORTS:
        yield f"    and {grouped(len(sides) - _PORTS)} more"


def _subgraphs(shown: Shown, width: int, limit: int | None) -> Iterator[str]:
    views = [shown.views[n] for n in shown.chosen]
    yield str(len(views))
    once = set(shown.analysis.initializers)
    rows = []
    for view in views[:limit]:
        graph = view.subgraph
        keys = shown.signatures_of(graph.index)
        use = f"signature {', '.join(keys)}" if keys else ""
        use = "initializer (CALL_ONCE)" if graph.index in once else use
        rows.append(
            (str(graph.index), graph.name or "-", f"{plural(graph.tensor_count, 'tensor')}",
             f"{plural(graph.operator_count, 'operator')}", use)
        )  # fmt: skip
    yield from layout.columns(rows, width, 1, right=(0, 2, 3))
    yield from _more(len(views), limit)


def _kinds(shown: Shown, width: int, limit: int | None) -> Iterator[str]:
    versions: dict[str, set[int]] = {}
    for row in shown.model.operator_codes:
        versions.setdefault(row.name, set()).add(row.version)
    views = tuple(shown.views[n] for n in shown.chosen)
    counts = Counter(o.name for view in views for o in view.subgraph.operators)
    by_kind = [(n, c, b) for n, (c, b) in shown.sizes.by_kind.items() if n in counts]
    yield f"{grouped(counts.total())} of {plural(len(counts), 'kind')}; constants that each reads:"
    total = max(1, sum(stored for _, _, stored in by_kind))
    rows = [
        (
            name,
            grouped(counts[name]),
            "v" + ",".join(map(str, sorted(versions.get(name, ())))),
            megabytes(stored) if stored else "",
            f"{100 * stored / total:.0f} %" if stored else "",
        )
        for name, _, stored in by_kind[:limit]
    ]
    yield from layout.columns(rows, width, 0, right=(1, 3, 4))
    yield from _more(len(by_kind), limit)


def _size(shown: Shown, width: int, everything: bool) -> Iterator[str]:
    found = shown.sizes
    yield megabytes(found.total)
    rows = [
        ("constants and initial values", megabytes(found.weights)),
        ("metadata", megabytes(found.metadata)),
        ("buffers that nothing refers to", megabytes(found.unreferenced)),
        ("tables, names, files behind", megabytes(found.structure)),
    ]
    yield from layout.columns(rows, width, 0, right=(1,))
    unused = found.unreferenced_buffers
    if unused:
        listed = [f"{row.index} ({megabytes(row.length)})" for row in unused]
        shown_rows = listed if everything else listed[:_LIST]
        text = "unreferenced: buffer " + ", ".join(shown_rows)
        if len(listed) > len(shown_rows):
            text += f" and {grouped(len(listed) - len(shown_rows))} more"
        yield from layout.wrap(text, "  ", width)
    groups = repeated(shown.model, found.buffers)
    waste = sum(group[0].length * (len(group) - 1) for group in groups)
    if waste > max(1000, found.total // 100):
        row = groups[0]
        yield from layout.wrap(
            f"{megabytes(waste)} are repeated: equal bytes in different buffers, most in "
            f"{plural(len(row), 'buffer')} of {megabytes(row[0].length)} ("
            + ", ".join(str(b.index) for b in row[:6]) + (", ..." if len(row) > 6 else "") + ")",
            "  ", width,
        )  # fmt: skip


def _variables(shown: Shown, width: int, limit: int | None) -> Iterator[str]:
    variables = shown.analysis.variables
    if not variables:
        return
    counts = Counter(v.status for v in variables)
    yield f"{len(variables)}: " + ", ".join(f"{n} {status}" for status, n in counts.most_common())
    rows = [
        (v.name, v.dtype or "?", "?" if v.shape is None else dimensions(v.shape), v.status)
        for v in variables[:limit]
    ]
    yield from layout.columns(rows, width, 0)
    yield from _more(len(variables), limit)


def _graph(shown: Shown, style: Style, width: int, everything: bool) -> Iterator[str]:
    for number in shown.chosen:
        view = shown.views[number]
        count = view.subgraph.operator_count
        if not count:
            continue
        if everything or count <= _OPERATORS:
            yield ""
            name = f" {safe(view.subgraph.name)}" if view.subgraph.name else ""
            yield style(f"Subgraph {number}{name}", "bold")
            yield from operator_list(view, view.subgraph.operators, width)
    big = [n for n in shown.chosen if shown.views[n].subgraph.operator_count > _OPERATORS]
    if big and not everything:
        yield ""
        yield from layout.wrap(
            "One line for each operator: --all. In detail: --op KIND, --around N, --tensor NAME; "
            "with --subgraph N or --signature NAME only there.", "", width,
        )  # fmt: skip


def _more(count: int, limit: int | None) -> Iterator[str]:
    if limit is not None and count > limit:
        yield f"  and {grouped(count - limit)} more (--all)"
