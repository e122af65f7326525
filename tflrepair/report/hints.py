"""Hints with the real name of the file, so that they can be pasted."""

from __future__ import annotations

import re
import shlex

from tflrepair.findings import Finding
from tflrepair.report.style import safe

_PLACE = re.compile(r"\bMODEL\b")


def hint(finding: Finding, path: str | None) -> str:
    """The finding's hint; its commands name ``path``, quoted for a shell."""
    return pasteable(finding.hint, path)


def pasteable(text: str, path: str | None) -> str:
    """``text`` with ``path``, quoted for a shell, for each MODEL."""
    name = "MODEL" if path is None else shlex.quote(path)
    return safe(_PLACE.sub(lambda _: name, text))
