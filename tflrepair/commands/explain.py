"""What a code means, or the error text of a runtime or converter.

Each message is known from the file named with it, of TensorFlow, LiteRT or tflite-micro.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tflrepair.checks import registry
from tflrepair.commands import scan_saved_model
from tflrepair.commands.messages import MESSAGES, Message
from tflrepair.errors import UserError

_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")  # as chats and pages print them
_CODE = re.compile(r"\s*TF[RS]\w*\s*", re.IGNORECASE)


def explain(text: str) -> str:
    """The documentation of a code (``TFR001``), or the meaning of a runtime's error text.

    Raises:
        UserError: neither a code nor a known message.
    """
    if _CODE.fullmatch(text):
        return scan_saved_model.explain(text.strip()) or registry.explain(text.strip())
    found = [row for row in map(_known(text), MESSAGES) if row]
    if not found:
        raise UserError(
            "this message is not known to tflrepair",
            hint="`tflrepair explain` lists the codes; `tflrepair scan MODEL` looks at the file",
        )
    return "\n\n".join(found)


def _known(text: str) -> Callable[[Message], str]:
    flat = " ".join(text.replace("\\n", " ").translate(_QUOTES).split())

    def told(row: Message) -> str:
        match = re.search(row.pattern, flat, re.IGNORECASE)
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
