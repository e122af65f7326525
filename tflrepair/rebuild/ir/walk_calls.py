"""Steps for operators that call other subgraphs."""

from __future__ import annotations

from collections.abc import Iterable

from tflrepair.errors import UnsupportedError
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir.scope import Scope
from tflrepair.rebuild.ir.steps import Argument, CallStep, FunctionId, Handle, If, While


def _called(
    walk: Scope, index: int, tensors: Iterable[int]
) -> tuple[FunctionId, tuple[Argument, ...]]:
    """The function for calling subgraph ``index`` with ``tensors``, and its arguments."""
    arguments = tuple(walk.argument(tensor) for tensor in tensors)
    handles = tuple(a.key if isinstance(a, Handle) else None for a in arguments)
    plain = tuple(a for a in arguments if not isinstance(a, Handle))
    return walk.planner.function(index, handles), plain


def call_once(walk: Scope, operator: Operator) -> None:
    function, _ = _called(walk, called_subgraphs(operator)[0], ())
    walk.planner.initializers[function] = None


def call(walk: Scope, operator: Operator) -> None:
    _inline(walk, operator, called_subgraphs(operator)[0])


def composite(walk: Scope, operator: Operator) -> None:
    targets = called_subgraphs(operator)
    if not targets:
        raise UnsupportedError("the composite has no decomposition")
    _inline(walk, operator, targets[0])


def _inline(walk: Scope, operator: Operator, index: int) -> None:
    function, arguments = _called(walk, index, operator.inputs)
    outputs = walk.results(operator.outputs, walk.planner.returned[function])
    walk.steps.append(CallStep(walk.site(operator), function, arguments, outputs))


def if_(walk: Scope, operator: Operator) -> None:
    condition, *_ = walk.arguments(operator, 1)
    indices = called_subgraphs(operator)
    then, arguments = _called(walk, indices[0], operator.inputs[1:])
    otherwise, _ = _called(walk, indices[1], operator.inputs[1:])
    returned = walk.planner.returned[then]
    if returned != walk.planner.returned[otherwise]:
        raise UnsupportedError("its branches return different resources or numbers of values")
    outputs = walk.results(operator.outputs, returned)
    walk.steps.append(If(walk.site(operator), condition, then, otherwise, arguments, outputs))


def while_(walk: Scope, operator: Operator) -> None:
    indices = called_subgraphs(operator)
    condition, arguments = _called(walk, indices[0], operator.inputs)
    body, _ = _called(walk, indices[1], operator.inputs)
    returned = walk.planner.returned[body]
    if returned != body[1]:
        raise UnsupportedError("the loop's body returns other resources than it is given")
    outputs = walk.results(operator.outputs, returned)
    inner = walk.model.subgraph(indices[1])
    shapes = tuple(inner.tensor(t).shape for t in walk.planner.functions[body].inputs)
    walk.steps.append(While(walk.site(operator), condition, body, arguments, shapes, outputs))
