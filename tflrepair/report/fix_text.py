"""A repair for people: what went where, from what, and what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

from tflrepair.commands.emit_python import PythonFile
from tflrepair.commands.fix.advice import advice
from tflrepair.commands.fix.result import FixResult
from tflrepair.report.match_text import match_lines
from tflrepair.report.runs import verify_text
from tflrepair.report.scan_text import findings
from tflrepair.report.style import Style, safe
from tflrepair.weights.types.acceptable import ACCEPTABLE
from tflrepair.weights.types.match_table import (
    CHECKED,
    EXACT,
    INITIAL,
    ORDER,
    SET,
    WEIGHT,
    MatchTable,
    Problem,
)
from tflrepair.weights.types.remedies import remedy
from tflrepair.wording import grouped, megabytes, plural, verb

_SHOWN = 4
_ORIGINS = {
    WEIGHT: "from the weights",
    "documented": "documented start values",
    "assumed": "assumed start values",
    "config": "from an optimizer's config",
    SET: "given",
}
_MOST_ASSUMPTIONS = 12
_PROVE_FIRST = (
    "repair the model with `tflrepair fix` and --check IN.npz OUT.npz, then rebuild what it wrote"
)


def render(
    result: FixResult,
    style: Style,
    dry_run: bool,
    command: str = "",
    *,
    everything: bool = False,
) -> str:
    """The whole report, without a trailing newline.

    Args:
        everything: a dry run lists each variable, not each layer.
        command: what to paste to decide all that must be decided; empty if there is none.
    """
    if not result.changes:
        return "\n".join([*_nothing(result, style), *_would_check(result, dry_run)])
    lines: list[str] = []
    if result.table is not None and result.table.rows:
        lines += match_lines(result.table, style, everything) if dry_run else []
        lines += _summary(result.table)
        lines += [f"  warning: {safe(text)}" for text in result.table.warnings]
        lines += [line for p in result.table.problems for line in _problem(p, style)]
        lines += map(safe, advice(result.before.context, result.table))
    if result.plan is not None and result.plan.replacements:
        lines.append(f"{len(result.plan.replacements)} of them had a value, which is replaced")
    if result.plan is not None and result.plan.calls:
        lines.append(
            f"added: {plural(len(result.plan.calls), 'missing call')} of an existing initializer"
        )
    if result.plan is not None and result.plan.renames:
        lines.append(
            f"{plural(len(result.plan.renames), 'save or restore operator')} "
            f"{verb(len(result.plan.renames), 'uses', 'use')} the variables' own names, "
            "which are unique"
        )
    if dry_run:
        lines += _would_check(result, dry_run)
        lines += _unproven(result, style) if not result.check else []
        ready = result.plan is not None
        lines.append("nothing written (dry run)" if ready else "cannot be fixed yet")
        return "\n".join([*lines, *([to_paste(safe(command))] if command else ())])
    return "\n".join([*lines, *_written(result, style)])


def to_paste(command: str) -> str:
    """A command on lines of its own."""
    return f"{remedy('paste')}\n  {command}"


def _nothing(result: FixResult, style: Style) -> list[str]:
    name = safe(result.before.model.path or "the model")
    kept = f"{safe(result.target)} was not written"
    if not result.before.ok:
        return [
            *findings(result.before, style),
            f"{name}: fix cannot repair any of this; {kept}",
        ]
    why = "every variable that is read has a value"
    if not result.before.analysis.variables:
        why = "it has no variables, and constants stay as they are"
    lines = [f"{name}: nothing to fix; {why}; {kept}"]
    if result.run is not None:
        lines += ["checked as it is:", *(f"  {line}" for line in verify_text.lines(result.run))]
    return lines


def _would_check(result: FixResult, dry_run: bool) -> list[str]:
    if not dry_run or result.check is None:
        return []
    inputs, expected = map(safe, map(str, result.check))
    return [f"the result would be run on {inputs} and its outputs compared with {expected}"]


def _summary(matched: MatchTable) -> list[str]:
    counts = Counter(r.confidence if r.origin == INITIAL else r.origin for r in matched.rows)
    parts = [f"{counts[origin]} {words}" for origin, words in _ORIGINS.items() if counts[origin]]
    lines = [f"{plural(len(matched.rows), 'variable')}: {', '.join(parts)}"] if parts else []
    sure = Counter(row.confidence for row in matched.rows if row.origin == WEIGHT)
    if sure:
        words = ", ".join(f"{n} {word}" for word, n in sure.items())
        lines.append(f"confidence in those from the weights: {words}")
    if by_names := sum(row.names_only and row.confidence == EXACT for row in matched.rows):
        lines.append(f"{by_names} of them by full names, which are all that such a file tells")
    if sure[CHECKED]:
        lines.append(f"{sure[CHECKED]} of them decided by --check: no other match gives OUT.npz")
    if matched.unused:
        some = ", ".join(safe(weight.path) for weight in matched.unused[:3])
        more = f" and {grouped(len(matched.unused) - 3)} more" if len(matched.unused) > 3 else ""
        lines.append(
            f"not used: {plural(len(matched.unused), 'array')} in the weights: {some}{more}"
        )
    return lines + assumed(matched)


def assumed(matched: MatchTable) -> list[str]:
    """What no file says, and what to type if it is not so."""
    rows = list(matched.assumptions.items())
    lines = []
    for assumption, names in rows[:_MOST_ASSUMPTIONS]:
        count = f" ({len(names)} variables)" if len(names) > 1 else ""
        lines.append(f"  assumed: {safe(assumption.text)}{count}")
        lines.append("    " + remedy("if-not-so", option=safe(assumption.option)))
    if len(rows) > _MOST_ASSUMPTIONS:
        lines.append(f"  assumed: {len(rows) - _MOST_ASSUMPTIONS} more; --dry-run shows each")
    return lines


def _problem(problem: Problem, style: Style) -> list[str]:
    lines = [f"{style(problem.kind, 'red', 'bold')}  {safe(problem.message)}"]
    lines += [f"    - {safe(candidate)}" for candidate in problem.candidates]
    return lines + ([f"    -> {safe(problem.hint)}"] if problem.hint else [])


def _written(result: FixResult, style: Style) -> list[str]:
    old = result.before.model.size
    out = result.out or ""
    lines = [*map(safe, result.notes)]
    lines += [
        f"written: {style(safe(out), 'bold')}, {megabytes(result.size)} (was {megabytes(old)})"
    ]
    if result.run is not None:
        lines += ["ran it:", *(f"  {line}" for line in verify_text.lines(result.run, out))]
    if result.after is not None and not (result.after.ok and _conditional(result)):
        failed = result.run is not None and result.run.exit_code == 1
        sound = "No other problem found." if failed else _sound(result)
        lines += findings(result.after, style, sound)
    elif _conditional(result) and not result.unproven:
        lines.append("No other problem found; the assumptions above are not proven.")
    return [*lines, *_unproven(result, style), *_not_run(result, style)]


def _not_run(result: FixResult, style: Style) -> list[str]:
    """What must not pass as sound, either: a file that nobody has seen answer."""
    if not result.not_run:
        return []
    return [
        f"{style('not run', 'yellow', 'bold')}  {result.not_run}: its tables are sound, and each "
        "variable that is read has a value, but its answers are not known",
        f"    -> tflrepair verify {shlex.quote(safe(result.out or 'OUT'))}",
    ]


def _sound(result: FixResult) -> str:
    """What a file without findings comes to: no more than what was run."""
    if not result.unchecked:
        return "Nothing wrong found."
    if result.run is None or not result.run.checked:
        return "Every variable that is read has a value. None of it was run."
    return "Nothing wrong found in what was checked."


def _conditional(result: FixResult) -> bool:
    """Whether something that nobody has proven stands behind the values."""
    assumed = result.table is not None and bool(result.table.assumptions)
    return bool(result.unproven) or assumed


def _unproven(result: FixResult, style: Style) -> list[str]:
    return unproven(result.table, style, remedy("prove")) if result.table else []


def unproven(table: MatchTable, style: Style, prove: str) -> list[str]:
    """What must not pass as sound: values that only numbers, or only an order, decided.

    Args:
        prove: how they can be proven.
    """
    if not table.unproven:
        return []
    label = style("not proven", "yellow", "bold")
    rest = [row for row in table.unproven if not row.accepted]
    names = [row.target.shared_name for row in rest if row.confidence != ORDER]
    lines = []
    by_order = [row for row in rest if row.confidence == ORDER]
    ordered = [row.target.shared_name for row in by_order]
    tells = all(row.weight and row.weight.source.endswith(".keras") for row in by_order)
    if ordered:
        lines += [
            f"{label}  {_rest(ordered)} on the order in the file alone: {_some(ordered)}",
            "    They are right only if the code has not exchanged what these layers do (their",
            "    activations, say) since the weights were saved: nothing found in the file tells.",
        ]
    if names:
        lines += [
            f"{label}  {_rest(names)} on the numbers in layer names alone: {_some(names)}",
            "    If the code that makes these layers was changed after the weights were saved,",
            "    they may have changed places.",
        ]
    for name, rows in table.accepted.items():
        lines += [
            f"{label}  {_rest(rows)} on --accept {name}: {_some(rows)}",
            f"    They are right only if {ACCEPTABLE[name]}.",
        ]
    lines.append(f"    -> prove it: {prove}")
    return [*lines, *([f"       {remedy('keras-file')}"] if ordered and not tells else [])]


def _rest(names: Sequence[str]) -> str:
    return f"{plural(len(names), 'variable')} {verb(len(names), 'rests', 'rest')}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def render_python(written: PythonFile, style: Style) -> str:
    """What `rebuild --emit-python` wrote, and what its values rest on."""
    name, table = safe(written.python), written.table or MatchTable(())
    lines = [f"written: {name} and {safe(written.weights)}; `python {name}` converts it"]
    return "\n".join([*assumed(table), *lines, *unproven(table, style, _PROVE_FIRST)])
