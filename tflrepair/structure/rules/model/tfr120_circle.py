"""Subgraphs call each other in a circle.

What: a subgraph calls itself through IF, WHILE, CALL, CALL_ONCE or a composite, directly or
through others.

Why it matters: no operator of TensorFlow Lite can end a recursion. Runtimes fill the stack and
crash.

Example: the body of a WHILE that holds the same WHILE.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.structure.subject import Subject

CODE = "TFR120"


def check(subject: Subject) -> None:
    calls, subgraphs = subject.calls, subject.subgraphs
    edges: dict[int, list[tuple[int, int]]] = {}
    if calls:
        for graph, operators in enumerate(subject.operators):
            edges[graph] = [
                (row, subgraphs[number])
                for row in operators
                for number in calls.get(row, ())
                if 0 <= number < len(subgraphs) and subgraphs[number] >= 0
            ]
    rows = subject.of("Operator")
    for row in _closing(edges):
        subject.fault(
            CODE, rows, row, "builtin_options", "it calls a subgraph that leads back here"
        )


def _closing(edges: dict[int, list[tuple[int, int]]]) -> list[int]:
    """The operators whose call closes a circle, each subgraph visited once."""
    done: set[int] = set()
    found = []
    for start in edges:
        if start in done:
            continue
        above = {start}
        stack = [(start, iter(edges[start]))]
        while stack:
            graph, rest = stack[-1]
            for row, target in rest:
                if target in above:
                    found.append(row)
                elif target not in done:
                    above.add(target)
                    stack.append((target, iter(edges[target])))
                    break
            else:
                done.add(graph)
                above.discard(graph)
                stack.pop()
    return found
