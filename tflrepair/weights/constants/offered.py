"""Constants of another .tflite as the values of this model's variables, where that is proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from tflrepair.weights.constants.layer_constants import LayerConstant, reshaped
from tflrepair.weights.constants.proof import Proof
from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import target_layers
from tflrepair.weights.types.match_table import OPEN, WEIGHT, MatchTable, Problem, Row
from tflrepair.weights.types.remedies import remedy
from tflrepair.weights.types.weight import Source, Target, Weight

_SHOWN = 3


def has_constants(sources: Sequence[Source]) -> bool:
    return any(isinstance(weight, LayerConstant) for source in sources for weight in source.weights)


def offer(
    sources: Sequence[Source], targets: Sequence[Target], proofs: Mapping[str, Proof]
) -> list[Source]:
    """The sources, with constants to be matched: what comes out must be given to ``proven``.

    A constant is offered where some variable that this model uses alike is proven, and in such
    variables' shape: where a kernel has more axes than its operator, the elements' order is one.
    """
    shapes = _shapes(targets, proofs)
    sure = {(proof.kind, proof.shape) for proof in proofs.values() if not proof.reason}
    return [part for source in sources for part in _parts(source, shapes, sure)]


def proven(table: MatchTable, proofs: Mapping[str, Proof]) -> MatchTable:
    """The table without the constants that may not be the variable's value.

    Those that a map gives are left: the user decided.
    """
    rows, problems = [], []
    for row in table.rows:
        doubt = _doubt(row, proofs)
        if doubt is not None:
            problems.append(doubt)
            row = Row(row.target, OPEN, reason=doubt.message)
        rows.append(row)
    known = [_explained(problem, proofs) for problem in table.problems]
    return replace(table, rows=tuple(rows), problems=(*known, *problems))


Held = tuple[str, tuple[int, ...]]  # kind, and shape in the operator
Shapes = dict[Held, dict[str, set[tuple[int, ...]]]]


def _shapes(targets: Sequence[Target], proofs: Mapping[str, Proof]) -> Shapes:
    """Name of the layer without its number -> own shapes of the variables, for each use."""
    found: Shapes = {}
    for layer in target_layers(targets):
        for _, target in layer.targets:
            proof = proofs.get(target.shared_name, Proof())
            shape = target.shape or ()
            if proof.kind and min(shape, default=0) > 0 and prod(shape) == prod(proof.shape):
                rows = found.setdefault((proof.kind, proof.shape), {})
                rows.setdefault(split_number(layer.last)[0], set()).add(shape)
    return found


def _parts(source: Source, shapes: Shapes, sure: set[Held]) -> Iterator[Source]:
    """Its variables and what only a map may take, then its constants."""
    weights = [
        _shaped(w, shapes, sure) if isinstance(w, LayerConstant) else w for w in source.weights
    ]
    yield replace(source, weights=tuple(w for w in weights if not _is_ready(w)))
    if has_constants([source]):  # even if none is offered: then each layer says why
        ready = tuple(filter(_is_ready, weights))
        yield Source(source.label, f"{source.kind}'s constants", ready)


def _is_ready(weight: Weight) -> bool:
    return isinstance(weight, LayerConstant) and weight.plain


def _shaped(constant: LayerConstant, shapes: Shapes, sure: set[Held]) -> LayerConstant:
    """The constant in the shape of the variables used alike; to be matched if that is certain."""
    held = constant.kind, constant.held
    alike = shapes.get(held, {})
    own = set[tuple[int, ...]]().union(*alike.values())
    if constant.chain:
        own = alike.get(split_number(constant.chain[-1])[0]) or own
    if len(own) > 1:
        return constant
    shaped = reshaped(constant, *own) if own else constant
    if not constant.chain or held not in sure:
        return shaped
    return replace(shaped, layer=constant.chain, role=constant.part, plain=True)


def _doubt(row: Row, proofs: Mapping[str, Proof]) -> Problem | None:
    """Why the row's constant may not be the variable's value."""
    constant, name = row.weight, row.target.shared_name
    if not isinstance(constant, LayerConstant) or row.origin != WEIGHT or row.confidence == "given":
        return None
    proof = proofs.get(name, Proof(reason="this model does not show how it uses it"))
    reason = proof.reason
    if not reason and (proof.kind, proof.shape) != (constant.kind, constant.held):
        reason = f"it is a {constant.kind} there, and a {proof.kind} here"
    if not reason:
        return None
    message = f"{constant.path} in {constant.source} may not be {name!r}: {reason}"
    return Problem("evidence", (name,), message, (constant.path,), remedy("folded"))


def _explained(problem: Problem, proofs: Mapping[str, Proof]) -> Problem:
    """A problem with the reason why constants do not hold the variables."""
    if problem.kind != "missing":
        return problem
    known = [(name, proofs[name]) for name in problem.variables if name in proofs]
    known.sort(key=lambda row: not row[1].kind)  # what a reader can look for first
    reasons = dict.fromkeys(
        f"{name.rpartition('/')[2]}: {proof.reason}" for name, proof in known if proof.reason
    )
    if not reasons:
        return problem
    text = "; ".join([*list(reasons)[:_SHOWN], *(["..."] if len(reasons) > _SHOWN else [])])
    message = f"{problem.message}; constants do not hold them ({text})"
    return replace(problem, message=message, hint=remedy("folded"))
