"""Builtin options of the operators that create resources or call subgraphs, decoded.

Absent options mean the schema's defaults: an empty name, subgraph 0.
"""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator

_OP = schema.BuiltinOperator
_KIND, _KIND2 = schema.BuiltinOptions, schema.BuiltinOptions2

# operator code -> (options table, its fields with a subgraph's index)
_CALLS: dict[int, tuple[str, tuple[int, ...]]] = {
    _OP.CALL_ONCE: ("CallOnceOptions", (schema.CallOnceOptions.INIT_SUBGRAPH_INDEX,)),
    _OP.CALL: ("CallOptions", (schema.CallOptions.SUBGRAPH,)),
    _OP.IF: (
        "IfOptions",
        (schema.IfOptions.THEN_SUBGRAPH_INDEX, schema.IfOptions.ELSE_SUBGRAPH_INDEX),
    ),
    _OP.WHILE: (
        "WhileOptions",
        (schema.WhileOptions.COND_SUBGRAPH_INDEX, schema.WhileOptions.BODY_SUBGRAPH_INDEX),
    ),
}

# Operators that may call subgraphs.
CALLING = frozenset((*_CALLS, _OP.STABLEHLO_COMPOSITE, _OP.STABLEHLO_WHILE, _OP.STABLEHLO_CASE))


def var_handle(operator: Operator) -> tuple[str, str]:
    """(container, shared name) of a VAR_HANDLE."""
    known = operator.reader.decoded.get(operator.place)
    if known is None:
        known = operator.reader.decoded[operator.place] = _var_handle(operator)
    return known


def _var_handle(operator: Operator) -> tuple[str, str]:
    options = operator.options(_KIND.VarHandleOptions)
    if options is None:
        return "", ""
    slot = schema.VarHandleOptions
    return options.string(slot.CONTAINER) or "", options.string(slot.SHARED_NAME) or ""


def table_id(operator: Operator) -> int:
    """The number of a HASHTABLE, which is its identity."""
    options = operator.options(_KIND.HashtableOptions)
    return options.scalar(schema.HashtableOptions.TABLE_ID, "i") if options else 0


def called_subgraphs(operator: Operator) -> tuple[int, ...]:
    """Indices of the subgraphs that an operator calls, none for any other operator.

    IF gives (then, else), WHILE and STABLEHLO_WHILE (condition, body), STABLEHLO_CASE its
    branches. A STABLEHLO_COMPOSITE has none where its decomposition is not in the file.
    """
    if operator.code in _CALLS:
        member, slots = _CALLS[operator.code]
        options = operator.options(getattr(_KIND, member))
        kinds = schema.LAYOUT[member]
        return tuple(options.scalar(slot, kinds[slot]) if options else 0 for slot in slots)
    if operator.code == _OP.STABLEHLO_COMPOSITE:
        return _decomposition(operator)
    if operator.code == _OP.STABLEHLO_WHILE:
        options = operator.options2(_KIND2.StablehloWhileOptions)
        slot = schema.StablehloWhileOptions
        slots = (slot.COND_SUBGRAPH_INDEX, slot.BODY_SUBGRAPH_INDEX)
        return tuple(options.scalar(s, "i") for s in slots) if options else ()
    if operator.code == _OP.STABLEHLO_CASE:
        options = operator.options2(_KIND2.StablehloCaseOptions)
        slot_of = schema.StablehloCaseOptions.BRANCH_SUBGRAPH_INDICES
        return options.numbers(slot_of) if options else ()
    return ()


def _decomposition(operator: Operator) -> tuple[int, ...]:
    options = operator.options2(_KIND2.StableHLOCompositeOptions)
    slot = schema.StableHLOCompositeOptions.DECOMPOSITION_SUBGRAPH_INDEX
    index = options.scalar(slot, "i") if options else 0
    return (index,) if index > 0 else ()  # 0 is the entry subgraph: there is no decomposition
