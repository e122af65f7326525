"""In which order the training function updates the variables.

An optimizer updates them in the order of ``trainable_variables``, in which layers created them
(keras/src/optimizers/base_optimizer.py, ``apply``). TensorFlow numbers the operators of one kind as
they are traced: ``AssignSubVariableOp``, ``..._1``, ``..._2``. In a .tflite such an operator is
READ_VARIABLE, arithmetic and ASSIGN_VARIABLE, and the tensor that is read keeps the name. The order
of the operators themselves says nothing: the converter sorts by name.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import pairwise

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import Variable
from tflrepair.graph.model import Model
from tflrepair.weights.types import roles

_UPDATE = re.compile(r"(.*Assign(?:Add|Sub)VariableOp)(?:_?([0-9]{1,9}))?")


def update_ranks(
    model: Model, variables: Iterable[Variable], used: Container[str]
) -> dict[ResourceId, int]:
    """The place of each variable in the order of updates, as far as names tell it.

    Args:
        variables: all of the model; without some, there would be gaps in the numbers.
        used: shared names of the variables that `infer` reads. An optimizer sets its own
            variables, too, in operators of another kind; the weights are what is asked for.

    Raises:
        BadFileError: the model is damaged.
    """
    named: dict[tuple[int, str], dict[str, ResourceId]] = {}
    for variable in variables:
        for subgraph, name in _names(model, variable):
            found = _UPDATE.fullmatch(name)
            if found:
                named.setdefault((subgraph, found[1]), {})[name] = variable.key
    ranks = [_numbered(base, names) for (_, base), names in named.items()]
    known = [(sum(key.shared_name in used for key in rank), len(rank), rank) for rank in ranks]
    return max(known, key=lambda row: row[:2], default=(0, 0, dict[ResourceId, int]()))[2]


def in_order(layers: Iterable[Mapping[str, int]]) -> bool:
    """Whether the order of updates can be trusted to be that of creation.

    It is trusted if layers of Keras's own, whose order of creation is known, agree with it: at
    least one does. Those that do not are then of somebody's own class with Keras's names. If none
    agrees, the program may update in an order of its own.

    Args:
        layers: role -> place in the order of updates, for each layer.
    """
    return any(verdict for rows in layers for verdict in _in_order(rows))


def _names(model: Model, variable: Variable) -> Iterator[tuple[int, str]]:
    for site in variable.read_by:
        graph = model.subgraph(site.subgraph)
        for tensor in graph.operators[site.operator].outputs:
            if tensor >= 0:
                yield site.subgraph, graph.tensor_name(tensor)


def _numbered(base: str, names: Mapping[str, ResourceId]) -> dict[ResourceId, int]:
    """Variable -> smallest number of an operator that updates it, where the names leave one.

    The converter makes a name unique by digits behind it, so ``_151`` may be 151 or 15. The numbers
    are those from 0 on, each once: a name that can be but one of those left is that one, and so is
    a number that but one name can be. What is left after that is left out.
    """
    count = len(names)
    open_ = {name: _readings(name.removeprefix(base), count) for name in names}
    found: dict[str, int] = {}
    while True:
        sure = {name: next(iter(free)) for name, free in open_.items() if len(free) == 1}
        if not sure:
            sure = _only_names(open_)
        if not sure:
            break
        if len(set(sure.values())) < len(sure):
            return {}
        found |= sure
        taken = set(sure.values())
        open_ = {name: free - taken for name, free in open_.items() if name not in sure}
    if not all(open_.values()):
        return {}  # a gap in the numbers: none of this can be relied on
    ranks: dict[ResourceId, int] = {}
    for name, number in found.items():
        ranks[names[name]] = min(number, ranks.get(names[name], number))
    for name in open_:
        ranks.pop(names[name], None)
    return ranks


def _readings(digits: str, count: int) -> set[int]:
    """``_151`` -> 151, 15, 1, 0; ``1`` (no number of its own, one digit behind) -> 0."""
    text = digits.removeprefix("_")
    numbers = {int(text[:end]) for end in range(1, len(text) + 1)} if digits[:1] == "_" else set()
    return {number for number in numbers | {0} if number < count}


def _only_names(open_: Mapping[str, set[int]]) -> dict[str, int]:
    """The names that alone can be some number."""
    able: dict[int, list[str]] = {}
    for name, free in open_.items():
        for number in free:
            able.setdefault(number, []).append(name)
    return {names[0]: number for number, names in able.items() if len(names) == 1}


def _in_order(rows: Mapping[str, int]) -> Iterable[bool]:
    """Whether the variables of one layer of Keras's own are updated in the order of creation."""
    for order in roles.creation_orders():
        if len(rows) > 1 and set(rows) <= set(order):
            updated = [rows[role] for role in order if role in rows]
            return [all(a < b for a, b in pairwise(updated))]
    return []
