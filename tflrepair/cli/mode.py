"""How this call wants to be answered: which command it is, as what, and how loudly."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Mode:
    """Attributes:
    command: the one that was called; ``error`` until one is known.
    json: whether standard output is to hold one JSON object and nothing else.
    told: whether that object has been written.
    model: the file that the command was given, for hints.
    quiet: print errors only; ``verbose``: the steps and the logs of native code, too.
    """

    command: str = "error"
    json: bool = False
    told: bool = False
    model: str | None = None
    quiet: bool = False
    verbose: bool = False

    def read(self, words: Sequence[str], commands: Sequence[str]) -> None:
        """Find out before the words are parsed: what is wrong with them is an answer, too."""
        self.command = next((word for word in words if word in commands), "error")
        options = words[: words.index("--")] if "--" in words else words
        formats = [
            after if word == "--format" else word.removeprefix("--format=")
            for word, after in zip(options, (*options[1:], ""), strict=False)
            if word == "--format" or word.startswith("--format=")
        ]
        self.json = bool(formats) and formats[-1] == "json"


mode = Mode()


def is_terminal(stream: object = None) -> bool:
    """Whether ``stream`` (standard output) is a terminal that understands more than lines."""
    import os

    isatty = getattr(sys.stdout if stream is None else stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"
