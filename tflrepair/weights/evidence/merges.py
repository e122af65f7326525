"""Layers without weights that join others, in the file and in the model.

A Keras 3 weights file lists these, too (``layers/add_1``), though it holds nothing for them. Where
one program made both, the model's scopes show as many. The converter drops the name of the last
operator only (``StatefulPartitionedCall:0``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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


def other_merges(weightless: Sequence[tuple[str, str]], flow: LayerFlow, is_whole: bool) -> str:
    """What the file has otherwise than the model; empty if nothing.

    Args:
        weightless: (class, name) of the file's layers without weights.
        is_whole: whether all layers of the file are in the model.
    """
    if not weightless:
        return ""
    listed = Counter(kind for kind, _ in weightless)
    unnamed = Counter(kind for kind, name in weightless if split_number(name)[0] == kind)
    names = {split_number(part)[0] for op in flow.ops for scope in op.scopes for part in scope[:-1]}
    shown = Counter(base for base, _ in map(split_number, names))
    bare = [op for op in flow.ops if not op.variables]
    joining = Counter(op.kind for op in bare)
    last = Counter(op.kind for op in bare if all(len(scope) < 2 for scope in op.scopes))
    for base, kind in KINDS.items():
        more = any(name for _, name in weightless) and shown[base] > listed[base]
        less = listed[base] > joining[kind] or unnamed[base] > shown[base] + last[kind]
        if more or (is_whole and less):
            return (
                f"the file's model joins layers differently: it has {listed[base]} {base!r}, "
                f"this one {shown[base]}"
            )
    return ""
