"""Text that fits a terminal: names cut in the middle of nowhere, lists that wrap, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tflrepair.report.style import safe
from tflrepair.report.width import COLOURS, FIXED, cells, end, fill, pad
from tflrepair.wording import grouped, plural

WIDTH = 80
_LONGEST_VECTOR = 8
_SENTENCE = 8  # words
_CODE = re.compile(r"`[^`]*`")
_PYTHON = re.compile(r"\s*(import \w|\w+ = |np\.\w+\()")
_COMMAND = re.compile(r"\btflrepair (?:(?!, )[^;`])*")
_SECOND_COLUMN = re.compile(r"\s+\S+(?: \S+)*\s{2,}(?=\S)")


def short(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns. The end of a name says most, so it stays.

    Of several names that the converter joined with ``;`` the first stays, with the number of the
    others.
    """
    text = safe(text)
    if cells(text) <= width:
        return text
    first, *others = text.split(";")
    if others:
        mark = f";+{len(others)}"
        return short(first, max(4, width - len(mark))) + mark
    return "..." + end(text, max(1, width - 3))


def wrap(text: str, indent: str, width: int, more: str | None = None) -> list[str]:
    """Lines of ``text`` that begin with ``indent``, all but the first with ``more``."""
    room = max(width, cells(indent) + 20)
    return fill(text, room, indent, indent if more is None else more, tear=True)


def columns(
    rows: Sequence[Sequence[str]],
    width: int,
    grow: int,
    indent: str = "  ",
    right: Sequence[int] = (),
) -> list[str]:
    """A table in ``width`` columns: column ``grow`` is cut where the others leave too little.

    Columns in ``right`` are aligned to the right.
    """
    if not rows:
        return []
    texts = [[short(cell, 1000) for cell in row] for row in rows]
    sizes = [max(cells(row[i]) for row in texts) for i in range(len(texts[0]))]
    rest = width - len(indent) - 2 * (len(sizes) - 1) - sum(sizes) + sizes[grow]
    sizes[grow] = max(8, min(sizes[grow], rest))
    lines = []
    for row in texts:
        parts = [
            pad(cell, size, i in right)
            for i, (cell, size) in enumerate(
                zip((short(c, sizes[grow]) if i == grow else c for i, c in enumerate(row)), sizes,
                    strict=True)
            )
        ]  # fmt: skip
        lines.append((indent + "  ".join(parts)).rstrip())
    return lines


def paragraphs(text: str, width: int) -> list[str]:
    """Paragraphs filled to ``width``; rows of a table, which are indented, each for itself.

    What stands under the second column of a row goes on with that row.
    """
    rows: list[str] = []
    block: list[str] = []
    hanging = 0
    for line in [*text.splitlines(), ""]:
        indent = len(line) - len(line.lstrip())
        if line and block and indent == hanging:
            block.append(line)
            continue
        if block:
            first = block[0][: len(block[0]) - len(block[0].lstrip())]
            rows += _filled(block, first, hanging, width)
        block = [line] if line else []
        rows += [] if line else [""]
        cell = _SECOND_COLUMN.match(line)
        hanging = cell.end() if cell else indent
        if indent and not cell:
            rows += _filled(block, line[:indent], indent + 2, width)
            block = []
    return rows[:-1]


def _filled(block: Sequence[str], indent: str, hanging: int, width: int) -> list[str]:
    first, *others = (line.strip() for line in block)
    head = len(indent) + len(first)
    text = " ".join([first, *others])
    if head <= width and not others:
        return [indent + first]
    hanging = hanging if hanging < width // 2 else len(indent) + 4
    return [
        _unglued(row)
        for row in wrap(_glued(text, width - hanging - 2), indent, width, " " * hanging)
    ]


def _glued(text: str, room: int) -> str:
    """Code in backticks that has room must not be torn: its spaces become fixed ones."""
    return _CODE.sub(
        lambda match: match[0].replace(" ", FIXED) if len(match[0]) < room else match[0], text
    )


def _unglued(text: str) -> str:
    return text.replace(FIXED, " ")


def fit(text: str, width: int, tear: bool = False) -> str:
    """A report's lines in ``width`` columns.

    A command of ours and a line of Python stay in one piece, to be pasted; so does the name of a
    file that was written.

    Args:
        tear: names that are wider than a line, too, as a terminal needs them. Else they stay
            whole, as does what has few words, which is a row of a table: for grep.
    """
    rows: list[str] = []
    for line in text.split("\n"):
        plain = COLOURS.sub("", line)
        words = plain.split()
        whole = _PYTHON.match(plain) or words[:1] == ["tflrepair"]
        if whole or cells(plain) <= width or not (tear or len(words) >= _SENTENCE):
            rows.append(line)
            continue
        cell = _SECOND_COLUMN.match(plain)
        indent = plain[: len(plain) - len(plain.lstrip())]
        hanging = cells(cell[0]) if cell and cells(cell[0]) < width // 2 else len(indent) + 2
        body = line[len(indent) :]
        if words[0] == "->":
            hanging += 1
        body = _COMMAND.sub(lambda match: match[0].replace(" ", FIXED), body)
        body = _glued(body, width - hanging - 2)
        tear_this = tear and words[0] != "written:"
        rows += map(_unglued, fill(body, width, indent, " " * hanging, tear_this))
    return "\n".join(rows)


def number(value: complex | None) -> str:
    """Four significant digits; integers whole."""
    if value is None:
        return "-"
    if isinstance(value, complex):
        return f"{value:.4g}"
    if isinstance(value, int) or (value == int(value) if abs(value) < 1e15 else False):
        return str(int(value))
    return f"{value:.4g}"


def value(item: Any) -> str:
    """A decoded option in a few words."""
    if isinstance(item, bool) or item is None:
        return {True: "yes", False: "no", None: "-"}[item]
    if isinstance(item, float):
        return number(item)
    if isinstance(item, str):
        if not item:
            return "''"
        return safe(item) if len(item) < 200 else safe(item[:200]) + "..."
    if isinstance(item, bytes):
        return f"<{plural(len(item), 'byte')}>"
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{safe(str(k))} {value(v)}" for k, v in item.items()) + "}"
    if isinstance(item, (tuple, list)):
        shown = ",".join(value(part) for part in item[:_LONGEST_VECTOR])
        more = len(item) - _LONGEST_VECTOR
        return f"[{shown},+{grouped(more)} more]" if more > 0 else f"[{shown}]"
    return str(item)
