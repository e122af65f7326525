"""Colour where it is wanted, and names from files made harmless."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tflrepair.report.width import COLOURS, cells, pad

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
COLOUR_OF = {"error": "red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True)
class Style:
    """Wraps text in terminal colours, or leaves it as it is.

    ``width``: columns of the terminal, to which lines are folded; None: they are not.
    """

    colour: bool = False
    width: int | None = None

    def __call__(self, text: str, *names: str) -> str:
        if not self.colour or not names:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def safe(text: str) -> str:
    """``text`` with control characters and broken Unicode escaped.

    Names come out of files that anyone may have made; a terminal must not obey them.
    """
    if text.isascii() and text.isprintable():  # nearly all of them
        return text
    return "".join(c if _printable(c) else _escaped(c) for c in text)


def harmless(text: str, colour: bool = False) -> str:
    """A whole report made ``safe`` but for its line ends and, with ``colour``, our own colours.

    The last gate: whoever writes a line of a report is to have made its names safe before.
    """
    parts = COLOURS.split(text) if colour else [text]
    lines = ["\n".join(map(safe, part.split("\n"))) for part in parts]
    for number, code in enumerate(COLOURS.findall(text) if colour else ()):
        lines[number] += code
    return "".join(lines)


@lru_cache(4096)
def _printable(char: str) -> bool:
    if char.isascii():
        return char.isprintable()
    import unicodedata

    return unicodedata.category(char)[0] not in "CZ"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def table(
    rows: Sequence[tuple[str, ...]],
    indent: str = "  ",
    gap: str = "  ",
    width: int | None = None,
) -> list[str]:
    """Left-aligned columns; the last one is not padded. Cells are folded where lines would have
    more than ``width`` columns."""
    if not rows:
        return []
    widths = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]))]
    if width is not None and len(indent) + sum(widths) + len(gap) * (len(widths) - 1) > width:
        return _folded(rows, indent, gap, width)
    return [
        (indent + gap.join(pad(c, w) for c, w in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def _folded(rows: Sequence[tuple[str, ...]], indent: str, gap: str, width: int) -> list[str]:
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, len(gap), 0, 0), pad_edge=False)
    for _ in rows[0]:
        grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    stream = io.StringIO()
    room = max(width - len(indent), 20)
    Console(file=stream, width=room, color_system=None, legacy_windows=False).print(grid)
    return [(indent + line).rstrip() for line in stream.getvalue().splitlines()]
