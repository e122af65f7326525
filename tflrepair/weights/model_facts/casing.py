"""Names that differ by case only.

TensorFlow makes a graph's names unique without regard to case (tensorflow/python/framework/ops.py,
``Graph.unique_name``): of ``Q/kernel`` and ``q/kernel`` one becomes ``Q/kernel_1``.
"""

from __future__ import annotations

from collections.abc import Iterable

from tflrepair.weights.types.layer_names import split_number


def called_names(names: Iterable[str]) -> dict[str, str]:
    """For each name that was numbered because of another's case: what the program called it."""
    everything = set(names)
    lower: dict[str, set[str]] = {}
    for name in everything:
        lower.setdefault(name.lower(), set()).add(name)
    found = {}
    for name in everything:
        base, number = split_number(name)
        others = lower.get(base.lower(), set())
        if number and base not in everything and others:
            found[name] = base
    return found
