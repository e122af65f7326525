"""The order of layers in the file against their order in the data flow.

``layers`` of a Functional model is sorted by depth (keras/src/models/functional.py,
``map_graph``), of a Sequential one by use; in both, a layer that feeds another comes first. The
file numbers the members of ``layers`` within each class: order is known between layers of one
class, and between all layers where a config lists them. A training function tells the order of
layers that the data flow leaves open, where it is confirmed (see ``updates_agree``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from itertools import combinations, pairwise, permutations

from tflrepair.weights.matching.question import Question, keep
from tflrepair.weights.types.layer_names import canonical, split_number, unscoped
from tflrepair.weights.types.layers import FileLayer, TargetLayer

_CELLS = "stacked_rnn_cells"
ROOTS = frozenset({"functional", "sequential"})


def before(first: Question, second: Question, by_update: bool = True) -> bool:
    """Whether the first layer comes before the second in the model's ``layers``.

    So it is if its output goes into the second, and not the other way round. Where the data flow
    does not tell, the order of updates does (see ``updates``), unless ``by_update`` is False.
    """
    forth = first.target.mask & second.target.upstream
    back = second.target.mask & first.target.upstream
    if forth or back or not by_update:
        return bool(forth) and not back
    mine, other = first.target.updated, second.target.updated
    return mine is not None and other is not None and mine < other


def updates_agree(questions: Sequence[Question]) -> bool:
    """Whether the order of updates is that of the file's layers, as far as other evidence tells.

    A program may update in an order of its own, one tower before the other, say. So at least one
    pair of matched layers that the data flow leaves open must stand in the file in the order of
    updates, and none, matched or ordered by the data flow, the other way round.
    """
    known = [q for q in questions if q.target.updated is not None]
    known.sort(key=lambda question: question.target.updated or 0)
    confirmed = False
    for first, second in combinations(known, 2):
        by_flow = before(first, second, False)
        if before(second, first, False):
            return False
        if len(first.candidates) == 1 == len(second.candidates):
            order = compare(first.candidates[0].layer, second.candidates[0].layer)
            if order > 0:
                return False
            confirmed |= order < 0 and not by_flow
    return confirmed


def compare(first: FileLayer, second: FileLayer) -> int:
    """-1 if the file has ``first`` before ``second``, 1 if behind, 0 if it does not tell."""
    if first.source != second.source:
        return 0
    if first.rank is not None and second.rank is not None and first.rank != second.rank:
        return -1 if first.rank < second.rank else 1
    for a, b, is_sorted in zip(first.keys, second.keys, first.sorted_steps, strict=False):
        if a != b:
            base, number = split_number(a)
            other, last = split_number(b)
            return (number > last) - (number < last) if is_sorted and base == other else 0
    return 0


def place(first: FileLayer, second: FileLayer) -> tuple[int, bool]:
    """(as ``compare``, but in any list; whether that list is sorted by the data flow).

    Lists that are not: those of a subclassed model, whose weights Keras holds in the order in
    which they became attributes.
    """
    known = compare(first, second)
    if known or first.source != second.source:
        return known, bool(known)
    for a, b in zip(first.keys, second.keys, strict=False):
        if a != b:
            base, number = split_number(a)
            other, last = split_number(b)
            # ``layers`` of a subclassed model are its attributes, in the order they were made
            in_list = "/" in a and base == other and not a.startswith("layers/")
            return ((number > last) - (number < last) if in_list else 0), False
    return 0, False


def called_roots(target: TargetLayer) -> set[str]:
    """The outermost scopes, without numbers, in which the layer is called."""
    scopes = {name.split("/")[0] for _, t in target.targets for name in t.read_as}
    return {split_number(unscoped([scope])[0])[0] for scope in scopes - {"gradient_tape"}}


def is_of_another(target: TargetLayer, layer: FileLayer) -> bool:
    """Whether a class of somebody's own calls the layer, and the file's model is called otherwise.

    Then the order in which that class made its layers is not that of the file's list.
    """
    root = layer.levels[0].name if layer.keys else ""
    if not root or len(target.names) < 2:
        return False
    roots = {canonical(name) for name in called_roots(target)}
    return bool(roots) and not roots & {split_number(canonical(root))[0], canonical(root), *ROOTS}


def narrow(
    questions: Sequence[Question],
    by_update: bool,
    joined: Callable[[Question, Question], bool] | None = None,
) -> bool:
    """Where the candidates of several layers are ordered in the file: keep what respects it.

    Args:
        joined: whether the first of two layers comes first where the data flow does not tell.
    """
    any_change = False
    for group in _groups(questions):
        ranks = _ranks(group)
        if ranks is None:
            continue
        pairs = [(a, b) for a in group for b in group if a is not b and before(a, b, by_update)]
        if joined is not None:
            known = {frozenset(map(id, pair)) for pair in pairs}
            for a, b in permutations(group, 2):
                if frozenset((id(a), id(b))) not in known and joined(a, b):
                    pairs.append((a, b))
        changed = True
        while changed:
            changed = False
            for a, b in pairs:
                last = max(ranks[id(c.layer)] for c in b.candidates)
                earlier = [c for c in a.candidates if ranks[id(c.layer)] < last]
                changed |= keep(a, earlier, "order")
                first = min(ranks[id(c.layer)] for c in a.candidates)
                later = [c for c in b.candidates if ranks[id(c.layer)] > first]
                changed |= keep(b, later, "order")
            any_change |= changed
    return any_change


def contradict(questions: Sequence[Question], by_update: bool, listed: Sequence[str] = ()) -> None:
    """Mark matched layers that could be swapped and are in another order than the data flow.

    Args:
        listed: paths of layers in the order in which the file's config describes them.
    """
    claims: dict[int, list[Question]] = {}
    for question in questions:
        if len(question.candidates) == 1:
            claims.setdefault(id(question.candidates[0].layer), []).append(question)
    for group in claims.values():
        for question in group if len(group) > 1 else ():
            names = " and ".join(repr(q.target.label) for q in group)
            question.conflict = f"one layer of the file would be {names}"
    _other_cells([q for q in questions if len(q.candidates) == 1], by_update, listed)
    decided = [q for q in questions if len(q.candidates) == 1 and len(q.fitting) > 1]
    by_layer = {id(q.candidates[0].layer): q for q in decided}
    for a in decided:
        mine = a.candidates[0].layer
        for other in a.fitting:
            b = by_layer.get(id(other.layer))
            if b is None or b is a or not any(c.layer is mine for c in b.fitting):
                continue
            if a.is_proved(other.layer) or b.is_proved(mine):
                continue
            if before(a, b, by_update) and compare(mine, other.layer) > 0:
                text = "names and the order of layers in the model contradict each other"
                a.conflict = b.conflict = text


def _other_cells(decided: Sequence[Question], by_update: bool, listed: Sequence[str]) -> None:
    """Mark cells of one RNN that the model runs in another order than the file lists them.

    Nothing else may fit them, but then the file is that of another program.
    """
    order = {path: place for place, path in enumerate(listed)}
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in decided:
        around = question.target.names[:-1]
        if around and split_number(around[-1])[0] == _CELLS:
            groups.setdefault(around, []).append(question)
    for group in groups.values():
        for a, b in permutations(group, 2):
            mine, other = (q.candidates[0].layer for q in (a, b))
            if mine.keys[:-1] != other.keys[:-1] or mine.names[:-1] != other.names[:-1]:
                continue
            one, two = _cell_place(mine, order), _cell_place(other, order)
            if one is None or two is None:
                continue
            if before(a, b, by_update) and one > two:
                a.conflict = b.conflict = "the file's RNN runs its cells in another order"


def _cell_place(cell: FileLayer, order: Mapping[str, int]) -> int | None:
    return order.get("/".join(cell.keys)) if cell.keys else cell.weights[0].place


def _groups(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Undecided layers together with those that share candidates with them."""
    owner: dict[int, int] = {}
    groups: dict[int, list[Question]] = {}
    for number, question in enumerate(questions):
        if len(question.candidates) < 2:
            continue
        members = [question]
        for key in {owner[id(c.layer)] for c in question.candidates if id(c.layer) in owner}:
            members = groups.pop(key) + members
        groups[number] = members
        for member in members:
            owner.update((id(c.layer), number) for c in member.candidates)
    yield from groups.values()


def _ranks(group: Sequence[Question]) -> dict[int, int] | None:
    """Place of each candidate in the file; None where the file does not order all of them."""
    layers = {id(c.layer): c.layer for question in group for c in question.candidates}
    line = sorted(layers.values(), key=cmp_to_key(compare))
    if any(compare(a, b) >= 0 for a, b in pairwise(line)):
        return None
    return {id(layer): rank for rank, layer in enumerate(line)}
