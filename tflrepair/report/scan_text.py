"""A scan for people: facts, variables, and last, next to the prompt, what is wrong."""

from __future__ import annotations

from collections import Counter

from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.commands.scan import ScanResult
from tflrepair.findings import Severity
from tflrepair.graph.model import Model, Signature
from tflrepair.graph.subgraph import Subgraph
from tflrepair.report.hints import hint
from tflrepair.report.style import COLOUR_OF, Style, safe, table
from tflrepair.wording import dimensions, grouped, megabytes, plural, verb

_SHOWN_VARIABLES = 12
_SHOWN_OPERATORS = 8
_SHOWN_SUBGRAPHS = 12
_SOUND = "Nothing wrong found in the file. It was not run: `tflrepair verify` does that."


def render(result: ScanResult, style: Style, everything: bool = False) -> str:
    """The whole report, without a trailing newline; ``everything`` shortens no list."""
    blocks = [
        _facts(result.model, style, everything),
        _subgraphs(result.model, style, everything),
        _signatures(result.model, style),
        _variables(result.analysis, style, everything),
        findings(result, style),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def brief(result: ScanResult, style: Style) -> list[str]:
    """A model among many: one line, and its findings if there are any."""
    model = result.model
    count = sum(subgraph.operator_count for subgraph in model.subgraphs)
    errors = sum(finding.is_problem for finding in result.findings)
    state = style(plural(errors, "error"), "red") if errors else style("ok", "green")
    pad = " " * max(0, 9 - len(plural(errors, "error") if errors else "ok"))
    facts = f"{megabytes(model.size):>9} {count:>6} {verb(count, 'operator', 'operators')}"
    head = f"{state}{pad} {facts}  {safe(model.path or 'model')}"
    return [head, *("  " + line for line in findings(result, style)[:-1])]


def _facts(model: Model, style: Style, everything: bool) -> list[str]:
    counts: Counter[str] = Counter()
    for subgraph in model.subgraphs:
        counts.update(subgraph.operator_names())
    most = None if everything else _SHOWN_OPERATORS
    listed = [f"{safe(name)} {count}" for name, count in counts.most_common(most)]
    if len(counts) > len(listed):
        listed.append(plural(len(counts) - len(listed), "more kind"))
    flex = sorted(safe(name) for name in counts if name.startswith("Flex"))
    lines = [
        f"{style(safe(model.path or 'model'), 'bold')}  {megabytes(model.size)}, "
        f"{plural(len(model.subgraphs), 'subgraph')}, "
        f"{plural(len(model.signatures), 'signature')}, {plural(model.buffer_count, 'buffer')}",
        f"  operators  {counts.total()}: {', '.join(listed)}",
    ]
    if flex:
        lines.append(f"  Flex       {', '.join(flex)} (these need the Flex delegate)")
    return lines


def _subgraphs(model: Model, style: Style, everything: bool) -> list[str]:
    rows = [
        (
            str(s.index),
            safe(s.name) or "-",
            plural(s.tensor_count, "tensor"),
            plural(s.operator_count, "operator"),
        )
        for s in model.subgraphs[: None if everything else _SHOWN_SUBGRAPHS]
    ]
    lines = [style("Subgraphs", "bold"), *table(rows, width=style.width)]
    if len(model.subgraphs) > len(rows):
        lines.append(f"  and {grouped(len(model.subgraphs) - len(rows))} more (--all lists them)")
    return lines


def _signatures(model: Model, style: Style) -> list[str]:
    if not model.signatures:
        return [style("Signatures", "bold"), "  none; runtimes run subgraph 0"]
    lines = [style("Signatures", "bold")]
    for signature in model.signatures:
        lines.append(f"  {safe(signature.key)}  (subgraph {signature.subgraph})")
        lines += _tensors(model, signature, style)
    return lines


def _tensors(model: Model, signature: Signature, style: Style) -> list[str]:
    subgraph: Subgraph = model.subgraph(signature.subgraph)
    rows = []
    for side, pairs in (("in", signature.inputs), ("out", signature.outputs)):
        for name, index in pairs:
            tensor = subgraph.tensor(index)
            rows.append((side, safe(name), tensor.dtype, dimensions(tensor.shape)))
    return table(rows, indent="    ", width=style.width)


def _variables(analysis: Analysis, style: Style, everything: bool) -> list[str]:
    variables = analysis.variables
    if not variables:
        return [style("Variables", "bold"), "  none"]
    total = sum(v.nbytes or 0 for v in variables)
    counts = Counter(v.status for v in variables)
    summary = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    order = [
        VariableStatus.UNINITIALIZED,
        *(
            s
            for s in counts
            if s
            not in (VariableStatus.UNINITIALIZED, VariableStatus.INITIALIZED, VariableStatus.UNREAD)
        ),
    ]
    ranked = sorted(variables, key=lambda v: order.index(v.status) if v.status in order else 99)
    lines = [f"{style('Variables', 'bold')}  {len(variables)} ({megabytes(total)}): {summary}"]
    shown = ranked if everything else ranked[:_SHOWN_VARIABLES]
    lines += table([_row(v) for v in shown], width=style.width)
    if len(variables) > len(shown):
        lines.append(f"  and {grouped(len(variables) - len(shown))} more (--all lists them)")
    return lines


def _row(variable: Variable) -> tuple[str, ...]:
    shape = "?" if variable.shape is None else dimensions(variable.shape)
    kind = " (Flex)" if variable.key.kind == "flex" else ""
    return (variable.status, variable.dtype or "?", shape, safe(variable.name) + kind)


def findings(result: ScanResult, style: Style, sound: str = _SOUND) -> list[str]:
    """The findings and, in one line, what they come to; ``sound`` where no error is among them."""
    lines = []
    for finding in result.findings:
        colour = COLOUR_OF[finding.severity]
        lines.append(
            f"{style(finding.severity, colour, 'bold')} {finding.code}  {safe(finding.message)}"
        )
        if finding.hint:
            lines.append(f"    -> {hint(finding, result.model.path)}")
    errors = sum(finding.severity == Severity.ERROR for finding in result.findings)
    warnings = sum(finding.severity == Severity.WARNING for finding in result.findings)
    if not errors:
        if warnings and sound == _SOUND:
            sound = f"No errors, {plural(warnings, 'warning')}."
        return [*lines, style(sound, "yellow" if warnings else "green")]
    codes = ", ".join(sorted({f.code for f in result.findings if f.severity == Severity.ERROR}))
    first = codes.split(",")[0]
    lines.append(f"{plural(errors, 'error')} ({codes}); `tflrepair explain {first}` tells more.")
    return lines
