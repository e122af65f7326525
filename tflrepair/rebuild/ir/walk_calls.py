"""Steps for operators that call other subgraphs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tflrepair.errors import UnsupportedError
from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir.steps import Argument, CallStep, FunctionId, Handle, If, While

if TYPE_CHECKING:
    from tflrepair.rebuild.ir.walk import Walk


def _called(
    walk: Walk, index: int, tensors: Iterable[int]
) -> tuple[FunctionId, tuple[Argument, ...]]:
    """The function for calling subgraph ``index`` with ``tensors``, and its arguments."""
    arguments = tuple(walk.argument(tensor) for tensor in tensors)
    handles = tuple(a.key if isinstance(a, Handle) else None for a in arguments)
    plain = tuple(a for a in arguments if not isinstance(a, Handle))
    return walk.planner.function(index, handles), plain


def call_once(walk: Walk, operator: Operator) -> None:
    options = operator.options(schema.BuiltinOptions.CallOnceOptions)
    slot = schema.CallOnceOptions.INIT_SUBGRAPH_INDEX
    function, _ = _called(walk, options.scalar(slot, "i") if options else 0, ())
    walk.planner.initializers[function] = None


def call(walk: Walk, operator: Operator) -> None:
    options = operator.options(schema.BuiltinOptions.CallOptions)
    _inline(walk, operator, options.scalar(schema.CallOptions.SUBGRAPH, "I") if options else 0)


def composite(walk: Walk, operator: Operator) -> None:
    options = operator.options2(schema.BuiltinOptions2.StableHLOCompositeOptions)
    slot = schema.StableHLOCompositeOptions.DECOMPOSITION_SUBGRAPH_INDEX
    index = options.scalar(slot, "i") if options else 0
    if index <= 0:
        raise UnsupportedError("the composite has no decomposition")
    _inline(walk, operator, index)


def _inline(walk: Walk, operator: Operator, index: int) -> None:
    function, arguments = _called(walk, index, operator.inputs)
    outputs = walk.results(operator.outputs, walk.planner.returned[function])
    walk.steps.append(CallStep(walk.site(operator), function, arguments, outputs))


def if_(walk: Walk, operator: Operator) -> None:
    condition, *_ = walk.arguments(operator, 1)
    options = operator.options(schema.BuiltinOptions.IfOptions)
    slot = schema.IfOptions
    indices = [
        options.scalar(s, "i") if options else 0
        for s in (slot.THEN_SUBGRAPH_INDEX, slot.ELSE_SUBGRAPH_INDEX)
    ]
    then, arguments = _called(walk, indices[0], operator.inputs[1:])
    otherwise, _ = _called(walk, indices[1], operator.inputs[1:])
    returned = walk.planner.returned[then]
    if returned != walk.planner.returned[otherwise]:
        raise UnsupportedError("its branches return different resources or numbers of values")
    outputs = walk.results(operator.outputs, returned)
    walk.steps.append(If(walk.site(operator), condition, then, otherwise, arguments, outputs))


def while_(walk: Walk, operator: Operator) -> None:
    options = operator.options(schema.BuiltinOptions.WhileOptions)
    slot = schema.WhileOptions
    indices = [
        options.scalar(s, "i") if options else 0
        for s in (slot.COND_SUBGRAPH_INDEX, slot.BODY_SUBGRAPH_INDEX)
    ]
    condition, arguments = _called(walk, indices[0], operator.inputs)
    body, _ = _called(walk, indices[1], operator.inputs)
    returned = walk.planner.returned[body]
    if returned != body[1]:
        raise UnsupportedError("the loop's body returns other resources than it is given")
    outputs = walk.results(operator.outputs, returned)
    inner = walk.model.subgraph(indices[1])
    shapes = tuple(inner.tensor(t).shape for t in walk.planner.functions[body].inputs)
    walk.steps.append(While(walk.site(operator), condition, body, arguments, shapes, outputs))
