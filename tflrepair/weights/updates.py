"""In which order the training function updates the variables.

An optimizer updates them in the order of ``trainable_variables``, in which layers created them
(keras/src/optimizers/base_optimizer.py, ``apply``). TensorFlow numbers the operators of one kind as
they are traced: ``AssignSubVariableOp``, ``..._1``, ``..._2``. In a .tflite such an operator is
READ_VARIABLE, arithmetic and ASSIGN_VARIABLE, and the tensor that is read keeps the name. The order
of the operators themselves says nothing: the converter sorts by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tflrepair.model import Model
from tflrepair.resources import Key
from tflrepair.variables import Variable
from tflrepair.weights import roles
from tflrepair.weights.names import split_path

_UPDATE = re.compile(r"(.*Assign(?:Add|Sub)VariableOp)(?:_?([0-9]{1,9}))?")


def update_ranks(model: Model, variables: Iterable[Variable]) -> dict[Key, int]:
    """The place of each variable in the order of updates; {} where there is no trustworthy one.

    It is trusted if layers of Keras's own, whose order of creation is known, agree with it: at
    least one does, and none does not. So a program that updates in an order of its own is found.

    Args:
        variables: all of the model; without some, there would be gaps in the numbers.

    Raises:
        BadFileError: the model is damaged.
    """
    named: dict[tuple[int, str], dict[str, Key]] = {}
    for variable in variables:
        for subgraph, name in _names(model, variable):
            found = _UPDATE.fullmatch(name)
            if found:
                named.setdefault((subgraph, found[1]), {})[name] = variable.key
    ranks = [_numbered(base, names) for (_, base), names in named.items()]
    agreeing = [rank for rank in ranks if _agrees(rank)]
    return max(agreeing, key=len, default={})


def _names(model: Model, variable: Variable) -> Iterator[tuple[int, str]]:
    for site in variable.read_by:
        graph = model.subgraph(site.subgraph)
        for tensor in graph.operators[site.operator].outputs:
            if tensor >= 0:
                yield site.subgraph, graph.tensor(tensor).name


def _numbered(base: str, names: Mapping[str, Key]) -> dict[Key, int]:
    """Variable -> smallest number of an operator that updates it.

    The converter makes a name unique by digits behind it, so ``_151`` may be 15: a number with
    as many numbers below it as there are names, or more, is cut until it is one that is free. {}
    where that leaves a choice, or nothing.
    """
    numbers: dict[int, Key] = {}
    longer = []
    for name, key in names.items():
        digits = name.removeprefix(base)
        number = int(digits.removeprefix("_") or 0)
        if (digits == "" or digits.startswith("_")) and number < len(names):
            numbers[number] = key
        else:
            longer.append((digits, key))
    for digits, key in longer:
        free = [n for n in _cut(digits) if n < len(names) and n not in numbers]
        if len(free) != 1:
            return {}
        numbers[free[0]] = key
    ranks: dict[Key, int] = {}
    for number, key in numbers.items():
        ranks[key] = min(number, ranks.get(key, number))
    return ranks


def _cut(digits: str) -> Iterator[int]:
    """``_151`` -> 15, 1, 0; ``1`` (no number of its own, one digit behind) -> 0."""
    text = digits.removeprefix("_")
    if digits.startswith("_"):
        yield from (int(text[:end]) for end in range(len(text) - 1, 0, -1))
    yield 0


def _agrees(ranks: Mapping[Key, int]) -> bool:
    layers: dict[tuple[str, ...], dict[str, int]] = {}
    for key, rank in ranks.items():
        prefix, role = split_path(key.shared_name)
        layers.setdefault(prefix, {})[role] = rank
    verdicts = [v for rows in layers.values() for v in _in_order(rows)]
    return bool(verdicts) and all(verdicts)


def _in_order(rows: Mapping[str, int]) -> Iterable[bool]:
    """Whether the variables of one layer of Keras's own are updated in the order of creation."""
    for order in roles.creation_orders():
        if len(rows) > 1 and set(rows) <= set(order):
            updated = [rows[role] for role in order if role in rows]
            return [all(a < b for a, b in pairwise(updated))]
    return []
