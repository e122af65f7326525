"""Which value goes to which variable: a line for each layer, or for each variable."""

from __future__ import annotations

from tflrepair.report.style import Style, safe, table
from tflrepair.weights.types.match_table import MatchTable, Row
from tflrepair.wording import plural

_SHOWN = 4  # names of a layer's variables


def match_lines(matched: MatchTable, style: Style, everything: bool) -> list[str]:
    """A table of ``matched``. Layers whose variables are as sure share a line each."""
    rows: list[tuple[str, ...]]
    if everything:
        rows = [("VARIABLE", "VALUE", "WHY", "CONFIDENCE"), *map(_row, matched.rows)]
    else:
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for row in matched.rows:
            groups.setdefault((_layer(row), row.reason, row.confidence), []).append(row)
        rows = [("LAYER", "VARIABLES", "VALUE", "WHY", "CONFIDENCE")]
        rows += [_group(layer, found) for (layer, _, _), found in groups.items()]
    lines = table(rows, indent="", width=style.width)
    if not everything and len(rows) <= len(matched.rows):
        lines.append(f"({plural(len(matched.rows), 'variable')}; --all lists each)")
    return lines


def _layer(row: Row) -> str:
    return row.target.shared_name.rpartition("/")[0]


def _row(row: Row) -> tuple[str, ...]:
    return (safe(row.target.shared_name), _value(row), _why(row), row.confidence or "-")


def _group(layer: str, rows: list[Row]) -> tuple[str, ...]:
    names = [row.target.shared_name.rpartition("/")[2] for row in rows]
    values = list(dict.fromkeys(map(_place, rows)))
    shown = values[0] if len(values) == 1 else f"{values[0]}, ..."
    return (
        safe(layer) or "-",
        safe(", ".join(names)),
        shown,
        _why(rows[0]),
        rows[0].confidence or "-",
    )


def _place(row: Row) -> str:
    """The array's layer in the file of weights, or the value itself."""
    if row.weight is None:
        return _value(row)
    return safe(row.weight.path.rpartition("/")[0] or row.weight.path)


def _value(row: Row) -> str:
    return safe(row.weight.path) if row.weight else "?" if row.fill is None else f"{row.fill:g}"


def _why(row: Row) -> str:
    return safe(f"{row.reason} ({row.source})" if row.source else row.reason) or "-"
