"""The defect, put into a healthy file: its initializers go, and with them every initial value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as fb
from build import save_npz

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import from_bytes


def rob(healthy: bytes) -> bytes:
    """The file without any CALL_ONCE and without what its initializers held."""
    model = fb.ModelT.InitFromPackedBuf(healthy, 0)
    targets = set()
    for subgraph in model.subgraphs:
        kept = []
        for operator in subgraph.operators:
            if _code(model, operator) == fb.BuiltinOperator.CALL_ONCE:
                targets.add(operator.builtinOptions.initSubgraphIndex)
            else:
                kept.append(operator)
        subgraph.operators = kept
    others = [graph for index, graph in enumerate(model.subgraphs) if index not in targets]
    shared = {tensor.buffer for graph in others for tensor in graph.tensors}
    for index in targets:
        subgraph = model.subgraphs[index]
        subgraph.operators = []
        for tensor in subgraph.tensors:
            if tensor.buffer not in shared:  # equal constants of several subgraphs are one buffer
                model.buffers[tensor.buffer].data = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def initial_values(healthy: bytes, out: Path) -> None:
    """The initial values of a healthy file by shared name, as an .npz."""
    model = from_bytes(healthy)
    values = {}
    for variable in analyse(model).variables:
        initial = variable.initial
        assert initial is not None, variable.name
        tensor = model.subgraph(initial.target).tensor(initial.tensor)
        data = np.frombuffer(model.buffer_bytes(initial.buffer), tensor.dtype)
        values[variable.name] = data.astype(variable.dtype).reshape(tensor.shape)
    save_npz(out, values)


def _code(model: Any, operator: Any) -> int:
    row = model.operatorCodes[operator.opcodeIndex]
    return int(max(row.builtinCode, row.deprecatedBuiltinCode))
