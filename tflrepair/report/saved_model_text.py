"""A SavedModel before its conversion, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.commands.scan_saved_model import SavedModelScan
from tflrepair.report import layout
from tflrepair.report.contract.scan import SavedModelItem
from tflrepair.report.scan_json import finding_item
from tflrepair.report.style import COLOUR_OF, Style, safe
from tflrepair.wording import plural


def lines(scan: SavedModelScan, style: Style, width: int) -> Iterator[str]:
    facts = scan.facts
    captured = {name for names in facts.signatures.values() for name in names}
    used = [name for name in facts.variables if name in captured]
    kept = sum(name in facts.restored for name in used)
    count = plural(len(facts.signatures), "signature")
    yield f"{style(safe(facts.path), 'bold')}  SavedModel, {count}"
    rows = [
        (key, f"captures {plural(len(names), 'variable or table', 'variables and tables')}")
        for key, names in facts.signatures.items()
    ]
    yield from layout.columns(rows, width, 0)
    yield f"  variables that signatures use  {len(used)}, of which {kept} keep their values"
    yield ""
    for finding in scan.findings:
        head = f"{style(finding.severity, COLOUR_OF[finding.severity], 'bold')} {finding.code}"
        yield from layout.wrap(f"{head}  {safe(finding.message)}", "", width, "  ")
        if finding.hint:
            yield from layout.wrap(f"-> {safe(finding.hint)}", "    ", width, "       ")
    if scan.ok:
        yield style("A conversion would lose nothing that we know of.", "green")
    else:
        codes = list(dict.fromkeys(f.code for f in scan.findings))
        count = plural(len(scan.findings), "error")
        yield f"{count} ({', '.join(codes)}); `tflrepair explain {codes[0]}` tells more."


def item(scan: SavedModelScan) -> SavedModelItem:
    """The same as data."""
    facts = scan.facts
    return {
        "kind": "saved_model",
        "ok": scan.ok,
        "path": facts.path,
        "signatures": {key: list(names) for key, names in facts.signatures.items()},
        "restored": sorted(facts.restored),
        "findings": [finding_item(finding) for finding in scan.findings],
    }
