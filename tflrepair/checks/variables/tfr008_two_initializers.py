"""Two initializer subgraphs set the same variable.

What: CALL_ONCE runs each target subgraph once in an interpreter's life. Two targets that assign
one variable run at different times: each when its signature is first called.

Why it matters: train for an hour, call `infer` for the first time, and its own initializer puts
the old weights back.

Example: every signature has its own copy of the initializer subgraph.

How it is mended: let all entries call one shared initializer.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.checks.base import ERROR, Finding, Subject, names

CODE = "TFR008"


def check(subject: Subject) -> Iterator[Finding]:
    targets = set(subject.analysis.initializers)
    groups: dict[tuple[int, ...], list[str]] = {}
    for variable in subject.analysis.variables:
        setters = tuple(sorted({site.subgraph for site in variable.assigned_by} & targets))
        if len(setters) > 1:
            groups.setdefault(setters, []).append(variable.name)
    for setters, variables in groups.items():
        listed = " and ".join(str(index) for index in setters)
        yield Finding(
            CODE,
            ERROR,
            f"subgraphs {listed} both initialize {names(variables)}; trained values are lost when "
            "the second one is first called",
            "reconvert the model so that all signatures share one initializer",
            variable=variables[0],
        )
