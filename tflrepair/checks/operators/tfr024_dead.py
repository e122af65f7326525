"""Operators or subgraphs that no output needs.

What: operators whose outputs nobody reads and that have no effect, or subgraphs that no signature
reaches.

Why it matters: operators run all the same and cost time; weights that only they read cost space.

On each runtime:

    LiteRT, tf.lite   dead operators run (the interpreter follows the list of operators, not what
                      outputs need); dead subgraphs are prepared when they are called, that is never
    TFLM              dead operators run, and their outputs take room in the arena

Example: a debugging output that was removed from the signature, but not from the function.

How it is fixed: `tflrepair extract MODEL --signature NAME --outputs NAME -o OUT.tflite` keeps what
the outputs need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.format.schema import TensorType
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.wording import plural, verb

_HANDLES = (TensorType.RESOURCE, TensorType.VARIANT)


@check("TFR024", Severity.INFO, Needs.TABLES)
def dead(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    entries = {s.subgraph for s in model.signatures} | {0}
    reached = {n for entry in entries for n in context.calls.reachable(entry)}
    lost = [n for n in range(len(model.subgraphs)) if n not in reached]
    if lost:
        listed = ", ".join(map(str, lost[:6])) + (", ..." if len(lost) > 6 else "")
        count = f"{plural(len(lost), 'subgraph')} {verb(len(lost), 'is', 'are')}"
        yield Found(
            f"{count} reached by no signature: {listed}",
            "leave them out: tflrepair extract MODEL --signature NAME -o OUT.tflite",
            Location(subgraph=lost[0]),
        )
    for subgraph in model.subgraphs:
        rows = _dead(subgraph)
        if rows:
            kinds = Counter(operator.name for operator in rows).most_common(4)
            listed = ", ".join(f"{name} {count}" for name, count in kinds)
            count = plural(len(rows), "operator")
            runs = verb(len(rows), "runs", "run")
            yield Found(
                f"{count} of subgraph {subgraph.index} {runs} for no output: {listed}",
                "",
                Location(subgraph=subgraph.index, operator=rows[0].index),
            )


def _dead(subgraph: Subgraph) -> list[Operator]:
    needed = set(subgraph.outputs)
    found = []
    columns = subgraph.operator_columns
    for number in reversed(range(len(columns.outputs))):
        if needed.isdisjoint(columns.outputs[number]):
            operator = subgraph.operator(number)
            if not _acts(subgraph, operator):
                found.append(operator)
                continue
        needed.update(columns.inputs[number])
    return found[::-1]


def _acts(subgraph: Subgraph, operator: Operator) -> bool:
    """Whether it may do more than compute its outputs. A handle alone does nothing."""
    if not operator.outputs or operator.is_custom or called_subgraphs(operator):
        return True
    types = subgraph.tensor_columns.types
    return any(types[t] in _HANDLES for t in (*operator.inputs, *operator.outputs) if t >= 0)
