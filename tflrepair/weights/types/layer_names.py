"""Layer names and how Keras makes them.

A layer without a name is called after its class with a running number: ``dense``, ``dense_1``,
... (keras/src/utils/naming.py, ``auto_name``). The number counts the layers of that class made
in the process so far, so the same code gives other numbers in another process, all shifted by the
same amount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

_NUMBERED = re.compile(r"(.+?)_([1-9][0-9]{0,8})")
_NAMES = 1 << 14  # asked for again and again; a model has some thousands at most
# Name scopes that Keras's and TensorFlow's own operators open inside a layer.
_INNER_SCOPES = frozenset(("while", "cond", "body", "batchnorm", "moments", "einsum"))


@lru_cache(_NAMES)
def split_number(name: str) -> tuple[str, int]:
    """``dense_7`` -> ``("dense", 7)``; ``dense`` -> ``("dense", 0)``."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


@lru_cache(_NAMES)
def canonical(name: str) -> str:
    """The same for what Keras 2 and Keras 3 call one layer.

    Names have no ``/`` any more, those of keras.applications are in lower case (MobileNetV3's
    ``Conv_1/BatchNorm`` is ``conv_1_bn``), and a Functional is no ``model``, but ``functional``.
    """
    name = re.sub("_batchnorm$", "_bn", name.lower().replace("/", "_"))
    return re.sub(r"^model(?=_[0-9]+$|$)", "functional", name)


def snake_case(name: str) -> str:
    """``Conv2D`` -> ``conv2d`` (keras/src/utils/naming.py, ``to_snake_case``)."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


@lru_cache(_NAMES)
def split_path(name: str) -> tuple[tuple[str, ...], str]:
    """A variable's name as layer chain and role: ``seq/dense/kernel:0`` -> (seq, dense), kernel."""
    *layers, role = re.sub(r":\d+$", "", name).split("/")
    return tuple(part for part in layers if part), role


def scope_of(tensor_name: str) -> tuple[str, ...]:
    """The layer scopes in the name of a READ_VARIABLE's output; () if it has none.

    ``seq_1/dense_1/Cast/ReadVariableOp`` -> ``("seq_1", "dense_1")``: TensorFlow names an
    operator after the Keras layers that were being called, then the operation that reads.
    """
    first = tensor_name.split(";")[0]
    *scopes, last = first.split("/")
    if not last.startswith("ReadVariableOp") or scopes[:1] == ["gradient_tape"]:
        return ()
    return tuple(scope for scope in scopes[:-1] if scope not in _INNER_SCOPES)


def unscoped(scopes: Sequence[str]) -> tuple[str, ...]:
    """Layer names from scopes that TensorFlow made unique by one more number each.

    Keras enters a layer's scope once to build and once to call it, so the scope in force is
    the name with a number behind it: ``dense_1`` for ``dense``, ``dense_1_2`` for ``dense_1``.
    """
    return tuple(split_number(scope)[0] for scope in scopes)


def is_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether all parts of ``inner`` stand in ``outer``, in the same order."""
    rest = iter(outer)
    return all(part in rest for part in inner)


def numbering() -> Callable[[str], str]:
    """What Keras calls the members of one list, by kind: with a number from the second on."""
    counts: dict[str, int] = {}

    def name(kind: str) -> str:
        number = counts[kind] = counts.get(kind, -1) + 1
        return f"{kind}_{number}" if number else kind

    return name
