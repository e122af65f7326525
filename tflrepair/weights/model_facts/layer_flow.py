"""The graph of `infer` as matching compares it with a file's architecture.

Keras enters a name scope for each layer that it calls, also for those without weights, and the
converter keeps it in the names of tensors (``functional_1/dense_2_1/Relu``; fused operators have
several names with ``;`` between them). So an operator shows of which layer it is part.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.options import var_handle
from tflrepair.graph.subgraph import Operator, Subgraph
from tflrepair.weights.model_facts.operator_facts import OperatorFacts
from tflrepair.weights.types.layer_flow import FlowOp, LayerFlow

_STRIDED = {
    schema.BuiltinOperator.CONV_2D: (schema.BuiltinOptions.Conv2DOptions, 2, 1),
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: (schema.BuiltinOptions.DepthwiseConv2DOptions, 2, 1),
}
# Place of the fused activation in the options, and what it is called; operators that are one
_FUSED_IN = {
    schema.BuiltinOperator.ADD: (schema.BuiltinOptions.AddOptions, 0),
    schema.BuiltinOperator.CONV_2D: (schema.BuiltinOptions.Conv2DOptions, 3),
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: (schema.BuiltinOptions.DepthwiseConv2DOptions, 4),
    schema.BuiltinOperator.FULLY_CONNECTED: (schema.BuiltinOptions.FullyConnectedOptions, 0),
}
_FUSED = {1: "relu", 3: "relu", 4: "tanh"}
_KINDS = {
    "RELU": "relu",
    "RELU6": "relu",
    "TANH": "tanh",
    "LOGISTIC": "sigmoid",
    "SOFTMAX": "softmax",
    "ELU": "elu",
}
_SKIPPED = frozenset({schema.BuiltinOperator.CALL_ONCE, schema.BuiltinOperator.VAR_HANDLE})

# Layers join some of their variables before they use them, an LSTM twelve. A chain that adds up all
# variables of a model is no layer, and what each link is made of would fill memory.
_MOST = 64


def layer_flow(model: Model) -> LayerFlow | None:
    """The flow of the signature that reads most variables and sets none; None without one.

    Raises:
        BadFileError: the model is damaged.
    """
    entries = dict.fromkeys([s.subgraph for s in model.signatures] or [0])
    flows = [_flow(model, graph) for graph in map(model.subgraph, entries) if not _assigns(graph)]
    found = [(len(_read(flow)), -len(flow.ops), flow) for flow in flows]
    best = max(found, key=lambda row: row[:2], default=None)
    return best[2] if best and best[0] else None


def _read(flow: LayerFlow) -> set[str]:
    return {name for op in flow.ops for name in op.variables}


def _assigns(graph: Subgraph) -> bool:
    return any(op.code == schema.BuiltinOperator.ASSIGN_VARIABLE for op in graph.operators)


def _flow(model: Model, graph: Subgraph) -> LayerFlow:
    told = OperatorFacts(model, graph)
    return LayerFlow(frozenset(graph.inputs), graph.outputs, tuple(_ops(graph)), told)


def _ops(graph: Subgraph) -> Iterator[FlowOp]:
    own: dict[int, frozenset[str] | None] = {}  # tensors made of variables only; None: of many
    data = set(graph.inputs)
    for place, op in enumerate(graph.operators):
        if op.code == schema.BuiltinOperator.VAR_HANDLE:
            own.update(dict.fromkeys(op.outputs, frozenset({var_handle(op)[1]})))
        if op.code in _SKIPPED:
            continue
        taken = tuple(t for t in op.inputs if t in data)
        made_of = [own.get(t, frozenset[str]()) for t in op.inputs]
        many = any(names is None for names in made_of)
        variables = frozenset[str]().union(*(names or () for names in made_of if not many))
        if not taken:
            few = not many and len(variables) <= _MOST
            own.update(dict.fromkeys(op.outputs, variables if few else None))
            continue
        data.update(op.outputs)
        names = [graph.tensor_name(t) for t in op.outputs[:1] if t >= 0]
        scopes = tuple(tuple(part.split("/")) for name in names for part in name.split(";"))
        facts = _strides(op), _activation(op)
        yield FlowOp(op.name, taken, op.outputs, variables, scopes, *facts, place)


def _strides(op: Operator) -> tuple[int, int] | None:
    known = _STRIDED.get(op.code)
    options = op.options(known[0]) if known else None
    if known is None or options is None:
        return None
    return options.scalar(known[1], "i"), options.scalar(known[2], "i")


def _activation(op: Operator) -> str:
    known = _FUSED_IN.get(op.code)
    options = op.options(known[0]) if known else None
    if known is None or options is None:
        return _KINDS.get(op.name, "")
    return _FUSED.get(options.scalar(known[1], "b"), "")
