"""Refusing up front what cannot be rebuilt, with the whole list."""

from __future__ import annotations

from collections import Counter

from tflrepair.errors import UnsupportedError
from tflrepair.graph.calls import CallGraph
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir.custom_nodes import is_plain
from tflrepair.rebuild.ir.walk import FLEX_STRUCTURE, STRUCTURE
from tflrepair.rebuild.ops.registry import operators


def covered() -> frozenset[str]:
    """The builtin operators that can be rebuilt, by their schema names."""
    return frozenset(operators()) | STRUCTURE.keys()


def refuse_uncovered(model: Model) -> None:
    """Check every operator of every subgraph.

    Raises:
        UnsupportedError: with all operators that are not covered, how often each occurs and where.
    """
    builtin = covered()
    missing: dict[str, Counter[int]] = {}
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if not _is_covered(operator, builtin):
                missing.setdefault(operator.name, Counter())[subgraph.index] += 1
    if missing:
        calls = CallGraph(model)
        rows = [
            f"{name} ({counts.total()}{_users(model, calls, set(counts))})"
            for name, counts in sorted(missing.items())
        ]
        raise UnsupportedError(
            f"these operators cannot be rebuilt: {', '.join(rows)}",
            hint="repair the model with --strategy graft or --strategy optimize, which keep "
            "operators as they are, or rebuild from its SavedModel or Python module",
        )


def _users(model: Model, calls: CallGraph, subgraphs: set[int]) -> str:
    """The signatures that come to ``subgraphs``."""
    keys = [s.key for s in model.signatures if subgraphs & {*calls.reachable(s.subgraph)}]
    return f" in {' and '.join(keys)}" if keys else ""


def _is_covered(operator: Operator, builtin: frozenset[str]) -> bool:
    import tensorflow as tf

    if operator.is_flex:
        name = operator.name.removeprefix("Flex")
        return name in FLEX_STRUCTURE or hasattr(tf.raw_ops, name)
    return is_plain(operator.name) if operator.is_custom else operator.name in builtin
