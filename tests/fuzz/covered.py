"""Which lines of the package a target reaches: counted by tracing a few of its cases.

Only this process is counted, not the children that read native formats.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import tflrepair

PACKAGE = Path(tflrepair.__file__).parent
Lines = dict[str, set[int]]


@contextmanager
def traced(found: Lines) -> Iterator[None]:
    """Add to ``found`` the lines in functions of the package that the block runs."""
    within = f"{PACKAGE}/"

    def line(frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            found.setdefault(frame.f_code.co_filename, set()).add(frame.f_lineno)
        return line

    def call(frame: FrameType, _event: str, _argument: object) -> Any:
        inside = frame.f_code.co_filename.startswith(within) and frame.f_code.co_name != "<module>"
        return line if inside else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


def share(found: Mapping[str, set[int]]) -> tuple[int, int]:
    """Statements that were reached, and all statements, in the functions of the reached files."""
    reached = whole = 0
    for name, lines in found.items():
        statements = _statements(Path(name))
        reached += len(statements & lines)
        whole += len(statements)
    return reached, whole


def _statements(path: Path) -> set[int]:
    """The first lines of all statements in functions; docstrings are none."""
    tree = ast.parse(path.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    found = set()
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.stmt) and node is not function and not _idle(node):
                found.add(node.lineno)
    return found


def _idle(node: ast.stmt) -> bool:
    """Statements that have no line event: docstrings, definitions of globals, annotations."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    bare = isinstance(node, ast.AnnAssign) and node.value is None
    return bare or isinstance(node, ast.Global | ast.Nonlocal | ast.Try)
