"""The source text of operator functions and of what they call."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tflrepair.rebuild import ops

_PACKAGE = ops.__name__


def source_of(functions: Iterable[Callable[..., Any]]) -> str:
    """The functions and all helpers from the same room that they call, without decorators."""
    found: dict[str, Callable[..., Any]] = {}
    waiting = list(functions)
    while waiting:
        function = waiting.pop()
        if function.__name__ not in found:
            found[function.__name__] = function
            waiting.extend(_helpers(function))
    ordered = sorted(found.values(), key=lambda f: (f.__module__, f.__code__.co_firstlineno))
    return "\n\n\n".join(_text(function) for function in ordered)


def _helpers(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    names = {n.id for n in ast.walk(ast.parse(_text(function))) if isinstance(n, ast.Name)}
    values = [getattr(function, "__globals__", {}).get(name) for name in sorted(names)]
    return [
        value
        for value in values
        if inspect.isfunction(value) and value.__module__.startswith(_PACKAGE)
    ]


def _text(function: Callable[..., Any]) -> str:
    source = inspect.getsource(function)
    definition = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[definition.lineno - 1 :])
