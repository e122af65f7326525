"""Steps for operators that create and touch resources."""

from __future__ import annotations

from tflrepair.analysis.resources import ResourceId, table_id, variable_id
from tflrepair.errors import BadFileError
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir import flex_nodes
from tflrepair.rebuild.ir.scope import Scope
from tflrepair.rebuild.ir.steps import Assign, Find, Import, Read, Size
from tflrepair.rebuild.ir.tensor_facts import dtype_of
from tflrepair.wording import plural


def var_handle(walk: Scope, operator: Operator) -> None:
    _bind(walk, operator, variable_id(operator))


def flex_handle(walk: Scope, operator: Operator) -> None:
    node = flex_nodes.node_of(operator)
    container, name = (
        node.attr[k].s.decode("utf-8", "surrogateescape") for k in ("container", "shared_name")
    )
    _bind(walk, operator, ResourceId("flex", container, name))


def hashtable(walk: Scope, operator: Operator) -> None:
    _bind(walk, operator, table_id(operator))


def _bind(walk: Scope, operator: Operator, key: ResourceId) -> None:
    if len(operator.outputs) != 1:
        raise BadFileError(f"has {plural(len(operator.outputs), 'output')} instead of one")
    walk.handles[operator.outputs[0]] = key


def read(walk: Scope, operator: Operator) -> None:
    key = walk.resource(operator)
    walk.steps.append(Read(walk.site(operator), key, walk.result(operator)))


def assign(walk: Scope, operator: Operator) -> None:
    _, value, *_ = walk.arguments(operator, 2)
    walk.steps.append(Assign(walk.site(operator), walk.resource(operator), value))


def table_import(walk: Scope, operator: Operator) -> None:
    _, keys, values, *_ = walk.arguments(operator, 3)
    key = walk.resource(operator)
    kinds = [dtype_of(walk.subgraph.tensor(t)) for t in operator.inputs[1:3]]
    walk.planner.tables[key] = (kinds[0], kinds[1])
    walk.steps.append(Import(walk.site(operator), key, keys, values))


def table_find(walk: Scope, operator: Operator) -> None:
    _, keys, default, *_ = walk.arguments(operator, 3)
    key = walk.resource(operator)
    walk.steps.append(Find(walk.site(operator), key, keys, default, walk.result(operator)))


def table_size(walk: Scope, operator: Operator) -> None:
    key = walk.resource(operator)
    walk.steps.append(Size(walk.site(operator), key, walk.result(operator)))
