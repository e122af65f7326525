"""Layer names and how Keras makes them.

A layer without a name is called after its class with a running number: ``dense``, ``dense_1``,
... (keras/src/utils/naming.py, ``auto_name``). The number counts the layers of that class made
in the process so far, so the same code gives other numbers in another process, all shifted by the
same amount.
"""

from __future__ import annotations

import re

_NUMBERED = re.compile(r"(.+?)_([1-9][0-9]{0,8})")
_TWIN_ROLES = frozenset(
    ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "recurrent_kernel", "embeddings", "alpha", "scale", "depthwise_kernel", "pointwise_kernel", "seed_generator_state"]
)


def split_number(name: str) -> tuple[str, int]:
    """``dense_7`` -> ``("dense", 7)``; ``dense`` -> ``("dense", 0)``."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


def split_variable(shared_name: str) -> tuple[tuple[str, ...], str, int]:
    """A variable's name as layer chain, role, and number among variables of the same name.

    ``seq/dense/kernel`` -> ``(("seq", "dense"), "kernel", 0)``. TensorFlow makes equal names
    unique by a suffix to the last part (tensorflow/python/framework/ops.py, ``unique_name``):
    the second ``fc/kernel`` is called ``fc/kernel_1``.
    """
    *layers, role = shared_name.split("/")
    base, number = split_number(role)
    if number and base in _TWIN_ROLES:
        return tuple(layers), base, number
    return tuple(layers), role, 0


def clean(name: str) -> str:
    """A variable's name without TensorFlow's output number: ``dense/kernel:0``."""
    return re.sub(r":\d+$", "", name)
