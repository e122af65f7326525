"""README and the pages: links that work elsewhere, and commands that exist with their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ROOT

BASE = "https://github.com/tflrepair/tflrepair/"
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "decisions"),
]
_FENCE = re.compile(r"```(?:sh|text|)\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`(tflrepair [^`]+)`")


def test_the_readme_has_no_link_that_only_a_checkout_follows() -> None:
    """The package index shows it, too."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)
    found = ["".join(pair) for pair in links]
    assert len(found) > 8
    for link in found:
        assert link.startswith("https://")
        if link.startswith(BASE):
            _, _, path = link.removeprefix(BASE).partition("/main/")
            assert (ROOT / path).exists(), link


def test_each_reference_of_the_readme_has_its_link() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE))
    used = set(re.findall(r"\[([\w/]+\.md)\](?!:)", text))
    assert named == used


def commands() -> Iterator[tuple[str, str]]:
    """(page, a call of ours) for everything on the pages that is one."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _FENCE.findall(text):
            for line in block.replace("\\\n", " ").splitlines():
                line = line.strip().removeprefix("$ ")
                match = re.match(r"(?:uvx |pipx run .*?)?(tflrepair .*)", line)
                if match:
                    # a table of commands has what each does behind two spaces
                    yield page.name, re.split(r"\s{2,}|\s#", match[1])[0]
        for call in _INLINE.findall(text):
            yield page.name, " ".join(call.split())


def options(command: Any) -> set[str]:
    return {name for row in command.params for name in (*row.opts, *row.secondary_opts)}


CALLS = sorted(set(commands()))


@pytest.mark.parametrize(("page", "call"), CALLS)
def test_a_command_on_a_page_exists(page: str, call: str) -> None:
    from typer.main import get_command

    from tflrepair.cli import app

    group: Any = get_command(app)
    # `graft|optimize` and `...` stand for a choice
    words = shlex.split(re.split(r" [|>] | && ", call)[0])[1:]
    name = words[0].rstrip(".,;") if words else ""
    if name.startswith("-"):
        assert name in options(group) | {"-h", "--help"}
        return
    assert name in group.commands, call
    known = options(group.commands[name]) | {"-h", "--help"}
    asked = [word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-zA-Z]", word)]
    assert set(asked) <= known, call


def test_the_pages_have_commands() -> None:
    assert len(CALLS) > 40
    assert "README.md" in {page for page, _ in CALLS}
