"""SECURITY.md names the tests that hold what it promises; each of them exists."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import ROOT

_TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_TABLE = _TEXT.split("| promise | test |")[1].split("\n\n")[0]
_ROWS = [row.strip("| ").split(" | ") for row in _TABLE.strip().splitlines()[1:]]
_TARGETS = re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"))


def exists(name: str) -> bool:
    """Whether a ``path::test`` or ``make target`` is there."""
    if name.startswith("make "):
        return name.removeprefix("make ") in _TARGETS
    path, _, test = name.partition("::")
    if not (ROOT / path).is_file():
        return False
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", _ROWS, ids=[row[0][:40] for row in _ROWS])
def test_each_promise_has_a_test(row: list[str]) -> None:
    named = re.findall(r"`([^`]+)`", row[-1])
    assert [name for name in named if name.startswith("tests/")]
    assert [name for name in named if not exists(name)] == []


def test_what_does_not_exist_is_noticed() -> None:
    assert not exists("tests/docs/test_security.py::test_nothing")
    assert not exists("tests/docs/no.py::test_nothing")
    assert not exists("make nothing")
    assert len(_ROWS) > 10
