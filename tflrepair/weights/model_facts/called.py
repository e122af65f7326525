"""What the program called variables that the graph, and so the .tflite, calls otherwise.

TensorFlow makes a graph's names unique without regard to case (``Graph.unique_name`` of
tensorflow/python/framework/ops.py): of ``Q/kernel`` and ``q/kernel`` one becomes ``Q/kernel_1``.
And what a layer adds to itself after it was built is named in the layer's scope alone:
``a/lora_kernel_a`` beside ``net/a/kernel``, where Keras says ``net/a/lora_kernel_a``.
"""

from __future__ import annotations

from collections.abc import Iterable

from tflrepair.weights.types.layer_names import split_number, split_path

LORA_ROLES = ("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b")
_ADAPTED = ("kernel", "embeddings")


def called_names(names: Iterable[str]) -> dict[str, str]:
    """The program's name of each variable that has another one in the graph."""
    everything = set(names)
    found = dict(_by_case(everything))
    layers = {split_path(found.get(name, name)) for name in everything}
    adapted = [prefix for prefix, role in layers if role in _ADAPTED]
    for name in everything:
        prefix, role = split_path(name)
        if role in LORA_ROLES and prefix:
            outer = {long for long in adapted if long[-len(prefix) :] == prefix}
            if len(outer) == 1 and prefix not in outer:
                found[name] = "/".join((*outer.pop(), role))
    return found


def _by_case(names: set[str]) -> Iterable[tuple[str, str]]:
    lower = {name.lower() for name in names}
    for name in names:
        base, number = split_number(name)
        if number and base not in names and base.lower() in lower:
            yield name, base
