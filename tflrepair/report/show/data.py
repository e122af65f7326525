"""What ``show`` shows as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from tflrepair.analysis.variables import Variable
from tflrepair.commands.show import Shown
from tflrepair.errors import TflRepairError
from tflrepair.graph.subgraph import Operator
from tflrepair.report.contract.show import (
    OperatorItem,
    ShowItem,
    ShownVariableItem,
    ShowSubgraph,
    TensorItem,
)
from tflrepair.views.options import options
from tflrepair.views.tensors import CONSTANT, TensorView
from tflrepair.views.values import Array, array, statistics


def item(shown: Shown, *, values: bool = False) -> ShowItem:
    """Everything about the operators and tensors asked for; all of them without a question.

    Reads the bytes of each constant that is told of.
    """
    model, found = shown.model, shown.sizes
    return {
        "ok": True,
        "path": model.path,
        "size": model.size,
        "version": model.version,
        "description": model.description,
        "parameters": {"constants": shown.parameters[0], "variables": shown.parameters[1]},
        "bytes": {
            "constants": found.weights,
            "metadata": found.metadata,
            "unreferenced": found.unreferenced,
            "structure": found.structure,
        },
        "unreferenced_buffers": [
            {"index": row.index, "bytes": row.length} for row in found.unreferenced_buffers
        ],
        "metadata": [
            {
                "name": e.name,
                "bytes": e.length,
                "value": plain(e.value),
                "problem": e.problem or None,
            }
            for e in shown.metadata.entries
        ],
        "files": [{"name": row.name, "size": row.size} for row in shown.metadata.files],
        "operator_kinds": [
            {"name": name, "count": count, "constant_bytes": stored}
            for name, (count, stored) in found.by_kind.items()
        ],
        "signatures": [
            {
                "key": s.key,
                "subgraph": s.subgraph,
                "inputs": [{"name": n, "tensor": t} for n, t in s.inputs],
                "outputs": [{"name": n, "tensor": t} for n, t in s.outputs],
            }
            for s in model.signatures
        ],
        "subgraphs": [_subgraph(shown, index) for index in shown.chosen],
        "operators": [_operator(shown, o) for o in _operators(shown)],
        "tensors": [_tensor(shown, t, values) for t in _tensors(shown)],
        "variables": [_variable(v) for v in _variables(shown)],
    }


def _subgraph(shown: Shown, index: int) -> ShowSubgraph:
    graph = shown.views[index].subgraph
    return {
        "index": index,
        "name": graph.name,
        "tensors": graph.tensor_count,
        "operators": graph.operator_count,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
    }


def _operators(shown: Shown) -> Iterable[Operator]:
    if shown.operators is not None:
        return shown.operators
    if shown.tensors is None:
        return [o for n in shown.chosen for o in shown.views[n].subgraph.operators]
    return [
        shown.views[t.subgraph].operator(n)
        for t in shown.tensors
        for n in dict.fromkeys([*([] if t.maker is None else [t.maker]), *t.takers])
    ]


def _tensors(shown: Shown) -> Iterable[TensorView]:
    if shown.tensors is not None:
        rows = list(shown.tensors)
        known = {(t.subgraph, t.index) for t in rows}
        for variable in shown.variables or ():
            initial = variable.initial
            if initial is not None and (initial.target, initial.tensor) not in known:
                rows.append(shown.views[initial.target].tensor(initial.tensor))
        return rows
    if shown.operators is not None:
        places = dict.fromkeys(
            (o.subgraph, t) for o in shown.operators for t in o.inputs + o.outputs if t >= 0
        )
        return [shown.views[s].tensor(t) for s, t in places]
    return (
        shown.views[n].tensor(t)
        for n in shown.chosen
        for t in range(shown.views[n].subgraph.tensor_count)
    )


def _variables(shown: Shown) -> Iterable[Variable]:
    return shown.analysis.variables if shown.variables is None else shown.variables


def _operator(shown: Shown, operator: Operator) -> OperatorItem:
    found = options(shown.model, operator)
    return {
        "subgraph": operator.subgraph,
        "index": operator.index,
        "name": operator.name,
        "custom": operator.is_custom,
        "inputs": list(operator.inputs),
        "outputs": list(operator.outputs),
        "options_type": found.kind or None,
        "options": plain(found.values),
    }


def _tensor(shown: Shown, tensor: TensorView, values: bool) -> TensorItem:
    row: TensorItem = {
        "subgraph": tensor.subgraph,
        "index": tensor.index,
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "shape_signature": None if tensor.signature is None else list(tensor.signature),
        "role": tensor.role,
        "is_output": tensor.is_output,
        "buffer": tensor.buffer,
        "bytes": tensor.stored,
        "maker": tensor.maker,
        "takers": list(tensor.takers),
        "quantization": plain(tensor.quantization),
        "sparsity": plain(tensor.sparsity),
        "stats": None,
    }
    if tensor.role != CONSTANT:
        return row
    try:
        found = array(shown.model, tensor)
    except TflRepairError as error:
        row["problem"] = str(error)
        return row
    row["stats"] = plain(asdict(statistics(found)))
    if values:
        row["values"] = _listed(found)
    return row


def _listed(found: Array) -> Any:
    if found.dtype.kind == "c":
        return plain([[v.real, v.imag] for v in found.ravel().tolist()])
    return plain(found.tolist())


def _variable(variable: Variable) -> ShownVariableItem:
    initial = variable.initial
    return {
        "name": variable.name,
        "container": variable.key.container,
        "kind": variable.key.kind,
        "dtype": variable.dtype,
        "shape": None if variable.shape is None else list(variable.shape),
        "status": variable.status,
        "initial": None
        if initial is None
        else {"subgraph": initial.target, "tensor": initial.tensor},
    }


def plain(value: Any) -> Any:
    """JSON has no NaN and no bytes: they become ``"NaN"``, ``"Infinity"`` and hexadecimal text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value
