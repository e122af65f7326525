"""A damaged file: its faults, and what can still be read of it."""

from __future__ import annotations

from tflrepair.report.style import Style, safe, table
from tflrepair.structure.salvage import Remains
from tflrepair.structure.verify import Verdict
from tflrepair.wording import grouped, megabytes, plural

_SHOWN = 50
_SHOWN_KINDS = 12


def faults_text(verdict: Verdict, style: Style) -> list[str]:
    """One line a fault, in the order of the file, and how many there are."""
    lines = [style("Faults", "bold")]
    rows = [
        (
            fault.code,
            f"byte {fault.location.offset}",
            safe(fault.location.path) or "(the file)",
            safe(fault.message),
        )
        for fault in verdict.faults[:_SHOWN]
    ]
    lines += table(rows, width=style.width)
    shown = len(rows)
    if verdict.count > shown:
        kept = len(verdict.faults)
        which = "all" if kept == verdict.count else f"the first {grouped(kept)}"
        lines.append(f"  and {grouped(verdict.count - shown)} more (--format json lists {which})")
    codes = sorted({fault.code for fault in verdict.faults})
    count = plural(verdict.count, "fault")
    lines.append(f"{count} ({', '.join(codes)}); `tflrepair explain {codes[0]}` tells more.")
    return lines


def remains_text(path: str, remains: Remains, style: Style) -> list[str]:
    """What was left of the file."""
    lines = [f"{style(safe(path), 'bold')}  damaged; what can still be read:"]
    rows = [
        (noun, grouped(whole), "" if whole == total else f"of {grouped(total)}")
        for noun, whole, total in remains.parts
        if total
    ]
    lines += table(rows)
    kinds = [f"{safe(name)} {count}" for name, count in list(remains.operators.items())]
    if kinds:
        more = len(kinds) - _SHOWN_KINDS
        also = f", {plural(more, 'more kind')}" if more > 0 else ""
        lines.append(f"  kinds of operators: {', '.join(kinds[:_SHOWN_KINDS])}{also}")
    if remains.signatures:
        keys = ", ".join(safe(key) for key in remains.signatures[:_SHOWN_KINDS])
        lines.append(f"  keys of signatures: {keys}")
    lost = f"; {megabytes(remains.lost)} are missing" if remains.lost else ""
    lines.append(f"  bytes of constants: {megabytes(remains.constants)}{lost}")
    return lines
