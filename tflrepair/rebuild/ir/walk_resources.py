"""Steps for operators that create and touch resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import BadFileError
from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir import flex_nodes
from tflrepair.rebuild.ir.steps import Assign, Find, Import, Read, Size
from tflrepair.rebuild.ir.tensor_facts import dtype_of

if TYPE_CHECKING:
    from tflrepair.rebuild.ir.walk import Walk


def var_handle(walk: Walk, operator: Operator) -> None:
    slot = schema.VarHandleOptions
    options = operator.options(schema.BuiltinOptions.VarHandleOptions)
    container = options.string(slot.CONTAINER) if options else None
    name = options.string(slot.SHARED_NAME) if options else None
    _bind(walk, operator, ResourceId("builtin", container or "", name or ""))


def flex_handle(walk: Walk, operator: Operator) -> None:
    node = flex_nodes.node_of(operator)
    container, name = (
        node.attr[k].s.decode("utf-8", "surrogateescape") for k in ("container", "shared_name")
    )
    _bind(walk, operator, ResourceId("flex", container, name))


def hashtable(walk: Walk, operator: Operator) -> None:
    slot = schema.HashtableOptions
    options = operator.options(schema.BuiltinOptions.HashtableOptions)
    _bind(
        walk,
        operator,
        ResourceId("table", "", str(options.scalar(slot.TABLE_ID, "i") if options else 0)),
    )


def _bind(walk: Walk, operator: Operator, key: ResourceId) -> None:
    if len(operator.outputs) != 1:
        raise BadFileError(f"has {len(operator.outputs)} outputs instead of one")
    walk.handles[operator.outputs[0]] = key


def read(walk: Walk, operator: Operator) -> None:
    key = walk.resource(operator)
    walk.steps.append(Read(walk.site(operator), key, walk.result(operator)))


def assign(walk: Walk, operator: Operator) -> None:
    _, value, *_ = walk.arguments(operator, 2)
    walk.steps.append(Assign(walk.site(operator), walk.resource(operator), value))


def table_import(walk: Walk, operator: Operator) -> None:
    _, keys, values, *_ = walk.arguments(operator, 3)
    key = walk.resource(operator)
    kinds = [dtype_of(walk.subgraph.tensor(t)) for t in operator.inputs[1:3]]
    walk.planner.tables[key] = (kinds[0], kinds[1])
    walk.steps.append(Import(walk.site(operator), key, keys, values))


def table_find(walk: Walk, operator: Operator) -> None:
    _, keys, default, *_ = walk.arguments(operator, 3)
    key = walk.resource(operator)
    walk.steps.append(Find(walk.site(operator), key, keys, default, walk.result(operator)))


def table_size(walk: Walk, operator: Operator) -> None:
    key = walk.resource(operator)
    walk.steps.append(Size(walk.site(operator), key, walk.result(operator)))
