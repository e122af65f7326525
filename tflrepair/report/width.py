"""Text measured in columns of a terminal, where Chinese or Japanese takes two and colour none."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

COLOURS = re.compile(r"\x1b\[(?:[0-9]+(?:;[0-9]+)*)?m")
FIXED = "\N{NO-BREAK SPACE}"  # holds words together that must stay in one line
_WORD = re.compile(r"( *)([^ ]+)")
_ENDS = "/_.;,:-"  # a long name is torn behind one of these, if it has any
_LEAST = 8  # columns of a piece of a name


def cells(text: str) -> int:
    """Columns that ``text``, without line ends, takes on a terminal (Unicode annex 11)."""
    plain = COLOURS.sub("", text)
    return len(plain) if plain.isascii() else sum(map(_cell, plain))


@lru_cache(4096)
def _cell(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, width: int, right: bool = False) -> str:
    """``text`` in at least ``width`` columns, to the left or to the ``right`` of them."""
    space = " " * max(0, width - cells(text))
    return space + text if right else text + space


def end(text: str, width: int) -> str:
    """As much of the end of ``text`` as ``width`` columns hold."""
    start, left = len(text), width
    while start and (left := left - cells(text[start - 1])) >= 0:
        start -= 1
    return text[start:]


def fill(text: str, width: int, first: str, rest: str, tear: bool) -> list[str]:
    """Lines of at most ``width`` columns, the first behind ``first``, all others behind ``rest``.

    ``tear``: a name that is wider than a line is torn; else it makes its line longer.
    """
    rows: list[str] = []
    row, empty = first, True
    for gap, word in _WORD.findall(text):
        if not empty and cells(row) + len(gap) + cells(word) > width:
            rows.append(row)
            row, empty = rest, True
        at = 0
        if tear and FIXED not in word:
            left = cells(word)  # counted down: a name may have a million letters
            while cells(row) + left > width and width - cells(row) >= _LEAST:
                begin, at = at, _torn(word, at, width - cells(row))
                rows.append(row + word[begin:at])
                left -= cells(word[begin:at])
                row = rest
        row += word[at:] if empty else gap + word[at:]
        empty = False
    return [*rows, row]


def _torn(word: str, begin: int, room: int) -> int:
    """Where the next piece of ``word`` begins, so that what is between takes ``room`` columns or
    less, but is not nothing."""
    used = good = 0
    at = begin
    while at < len(word):
        colour = COLOURS.match(word, at)
        if colour:
            at = colour.end()
            continue
        used += _cell(word[at])
        if used > room:
            break
        at += 1
        if word[at - 1] in _ENDS and used > room // 2:
            good = at
    return good or max(at, begin + 1)
