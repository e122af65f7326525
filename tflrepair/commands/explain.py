"""What a code means, or the error text of a runtime or converter.

Each message is known from the file named with it, of TensorFlow, LiteRT or tflite-micro.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tflrepair.checks import registry
from tflrepair.commands import scan_saved_model
from tflrepair.commands.messages import GENERAL, MESSAGES, Message
from tflrepair.errors import UserError
from tflrepair.wording import kind_of

_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # as chats and pages print them
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# of a quotation, a table, a comment; and the stamps of `adb logcat -v threadtime` and `-v brief`
_MARGIN = re.compile(
    r"^\s*[>|#]+ ?|^\d\d-\d\d [\d:.]+ +\d+ +\d+ [VDIWEF] [^:]*: |^[VDIWEF]/[^:]*\( *\d+\): "
)
_CODE = re.compile(r"\s*TF[RS]\w*\s*", re.IGNORECASE)


def explain(text: str) -> str:
    """The documentation of a code (``TFR001``), or the meaning of a runtime's error text.

    Raises:
        UserError: neither a code nor a known message.
    """
    if not isinstance(text, str):
        raise UserError(f"{kind_of(text)} is no text", hint="give a code, or a message as a str")
    if _CODE.fullmatch(text):
        return scan_saved_model.explain(text.strip()) or registry.explain(text.strip())
    told = _known(text)
    found = [row for row in map(told, MESSAGES) if row] or [
        row for row in map(told, GENERAL) if row
    ]
    if not found:
        raise UserError(
            "this message is not known to tflrepair",
            hint="`tflrepair explain` lists the codes; `tflrepair scan MODEL` looks at the file",
        )
    return "\n\n".join(found)


def _known(text: str) -> Callable[[Message], str]:
    clean = _COLOUR.sub("", text).translate(_QUOTES)
    lines = [_MARGIN.sub("", line) for line in clean.splitlines()]
    # folded between words, or by a terminal in the middle of one
    order = ("", " ") if _cut(lines) else (" ", "")
    forms = [" ".join(between.join(lines).replace("\\n", " ").split()) for between in order]

    def told(row: Message) -> str:
        matches = (re.search(row.pattern, form, re.IGNORECASE) for form in forms)
        match = next(filter(None, matches), None)
        if match is None:
            return ""
        parts = match.groupdict()
        name, version = parts.get("name") or "one", parts.get("version")
        extra = ""
        if version:
            extra = f" version {version}" if version.isdigit() else f" ({version})"
        fields = {"name": name, "version": extra}
        return (
            f"What: {row.means.format(**fields)}.\n\n"
            f"What to do: {row.do.format(**fields)}.\n\n"
            f"The message comes from {row.source}."
        )

    return told


def _cut(lines: list[str]) -> bool:
    """Whether a terminal has cut a long line: all pieces are equally long but the last."""
    widths = [len(line) for line in lines]
    return len(lines) > 2 and len(set(widths[:-1])) == 1 and 0 < widths[-1] <= widths[0]


def overview() -> list[tuple[str, str, str]]:
    """(code, severity, first line of its documentation) of every code."""
    rows = [(c.code, str(c.severity), c.doc.splitlines()[0]) for c in registry.all_checks()]
    for number in range(1, 100):
        text = scan_saved_model.explain(f"TFS{number:03}")
        if text is None:
            break
        code, first = text.splitlines()[0].split(": ", 1)
        rows.append((code, "error", first))
    return rows
