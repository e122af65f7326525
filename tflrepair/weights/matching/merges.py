"""Layers without weights that join others, in the file and in the model.

A Keras 3 weights file lists these, too (``layers/add_1``), though it holds nothing for them. Where
one program made both, the model's scopes show as many. The converter drops the name of the last
operator only (``StatefulPartitionedCall:0``).
"""

from __future__ import annotations

from collections import Counter

from tflrepair.weights.types.layer_flow import LayerFlow
from tflrepair.weights.types.layer_names import split_number

KINDS = {
    "add": "ADD",
    "subtract": "SUB",
    "multiply": "MUL",
    "average": "MUL",
    "maximum": "MAXIMUM",
    "minimum": "MINIMUM",
    "concatenate": "CONCATENATION",
}


def other_merges(weightless: tuple[str, ...], flow: LayerFlow, is_whole: bool) -> str:
    """What the file has otherwise than the model; empty if nothing.

    Args:
        weightless: names of the file's layers without weights; empty if it has no names.
        is_whole: whether all layers of the file are in the model.
    """
    if not weightless:
        return ""
    listed = Counter(base for base, _ in map(split_number, weightless) if base in KINDS)
    names = {split_number(part)[0] for op in flow.ops for scope in op.scopes for part in scope[:-1]}
    shown = Counter(base for base, _ in map(split_number, names) if base in KINDS)
    last = [op.kind for op in flow.ops if not op.variables and all(len(s) < 2 for s in op.scopes)]
    for base, kind in KINDS.items():
        unnamed = last.count(kind)
        if shown[base] > listed[base] or (is_whole and listed[base] > shown[base] + unnamed):
            return (
                f"the file's model joins layers otherwise: it has {listed[base]} {base!r}, "
                f"this one {shown[base]}"
            )
    return ""
