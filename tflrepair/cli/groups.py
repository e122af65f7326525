"""Options that belong together, declared once as a dataclass and taken by several commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with each parameter that is a dataclass spread into the fields of that class.

    Typer reads options off a function's signature; so the wrapper's signature has the fields, and
    the function gets one object of the class.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    groups = {name: hints[name] for name in parameters if is_dataclass(hints[name])}

    @wraps(command)
    def spread(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{row.name: given.pop(row.name) for row in fields(group)})
        command(**given)

    rows = list(_rows(parameters.values(), hints, groups))
    spread.__signature__ = inspect.Signature(rows)  # type: ignore[attr-defined]
    spread.__annotations__ = {row.name: row.annotation for row in rows}
    return spread


def _rows(
    parameters: Any, hints: dict[str, Any], groups: dict[str, Any]
) -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    for parameter in parameters:
        group = groups.get(parameter.name)
        if group is None:
            annotation = hints[parameter.name]
            yield parameter.replace(annotation=annotation, kind=keyword)
            continue
        types = get_type_hints(group, include_extras=True)
        for row in fields(group):
            yield inspect.Parameter(
                row.name, keyword, default=row.default, annotation=types[row.name]
            )
