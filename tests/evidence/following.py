"""Advice, followed as it is printed: which test follows which text, and how commands are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from typer.testing import CliRunner

from tflrepair.cli import app
from tflrepair.errors import TflRepairError
from tflrepair.weights.types.remedies import REMEDIES

FOLLOWED: dict[str, str] = {}
_FIELD = re.compile(r"\{\w+\}")


def follows(*names: str) -> Callable[[Any], Any]:
    """Marks a test that does what these texts of ``REMEDIES`` say."""

    def mark(test: Any) -> Any:
        FOLLOWED.update(dict.fromkeys(names, test.__name__))
        return test

    return mark


def say(command: str) -> tuple[int, str]:
    """(exit code, all that is printed) of a command line, in this process."""
    words = shlex.split(command)
    assert words[0] == "tflrepair"
    done = CliRunner().invoke(app, words[1:])
    if isinstance(done.exception, TflRepairError):
        return 2, f"{done.output}\n{done.exception}"
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def told(text: str, name: str) -> dict[str, str]:
    """What stands in the places of the text called ``name``, which must have been printed."""
    template = REMEDIES[name].removeprefix("; ")
    pattern, last = "", 0
    for field in _FIELD.finditer(template):
        pattern += re.escape(template[last : field.start()]) + f"(?P<{field[0][1:-1]}>.*?)"
        last = field.end()
    pattern += re.escape(template[last:]) + ("$" if template.endswith("}") else "")
    found = re.search(pattern, text, re.MULTILINE)
    assert found is not None, f"{template!r} was not printed:\n{text}"
    return found.groupdict()
