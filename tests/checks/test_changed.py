"""What no converter writes, by one change of a converted file; test_converted.py has what failed.

Each is a change that a tool makes or has made, and the runtime is asked what it does with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from conftest import DATA

from tflrepair import scan
from tflrepair.findings import Finding
from tflrepair.graph.model import from_bytes

CALL_ONCE = fb.BuiltinOperator.CALL_ONCE
ASSIGN = fb.BuiltinOperator.ASSIGN_VARIABLE
HEALTHY = DATA / "healthy.tflite"


def changed(change: Callable[[Any], None]) -> bytes:
    """The converted model with the signatures infer and train, changed."""
    model: Any = fb.ModelT.InitFromObj(fb.Model.GetRootAs(HEALTHY.read_bytes()))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def findings(data: bytes, code: str) -> list[Finding]:
    return list(scan(from_bytes(data), select=[code]).findings)


def run(data: bytes, signature: str) -> dict[str, Any]:
    """One call in a fresh interpreter, by builtin kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runner = Interpreter(
        model_content=data, experimental_op_resolver_type=kernels
    ).get_signature_runner(signature)
    inputs = {
        name: np.ones(row["shape"], row["dtype"])
        for name, row in runner.get_input_details().items()
    }
    return dict(runner(**inputs))


def kind(model: Any, operator: Any) -> int:
    return int(model.operatorCodes[operator.opcodeIndex].builtinCode)


def graph_of(model: Any, key: str) -> Any:
    found = next(s for s in model.signatureDefs if s.signatureKey.decode() == key)
    return model.subgraphs[found.subgraphIndex]


def initializer(model: Any) -> Any:
    operators = (o for graph in model.subgraphs for o in graph.operators)
    call = next(o for o in operators if kind(model, o) == CALL_ONCE)
    return model.subgraphs[call.builtinOptions.initSubgraphIndex]


def initial(model: Any) -> Any:
    """The buffer of the initial value of 4 bytes or more."""
    graph = initializer(model)
    values = [o.inputs[1] for o in graph.operators if kind(model, o) == ASSIGN]
    return model.buffers[graph.tensors[values[0]].buffer]


def _one_without_call(model: Any) -> None:
    """A function that was added to the file by hand, or a graph editor's "unused" operator."""
    graph = graph_of(model, "train")
    graph.operators = [o for o in graph.operators if kind(model, o) != CALL_ONCE]


def _two_initializers(model: Any) -> None:
    """Two files merged, each with its own initializer of the same variables."""
    model.subgraphs.append(initializer(model))
    for operator in graph_of(model, "train").operators:
        if kind(model, operator) == CALL_ONCE:
            operator.builtinOptions = fb.CallOnceOptionsT()
            operator.builtinOptions.initSubgraphIndex = len(model.subgraphs) - 1


def _longer(model: Any) -> None:
    """A value that was replaced by one of another size."""
    buffer = initial(model)
    buffer.data = [*buffer.data, 0, 0, 0, 0]


def _ports(model: Any) -> None:
    """An ordinary subgraph made the target of CALL_ONCE."""
    graph = initializer(model)
    value = next(o.inputs[1] for o in graph.operators if kind(model, o) == ASSIGN)
    graph.outputs = [value]


def _left_behind(model: Any) -> None:
    """A tool that removed an operator and left its weights."""
    lonely = fb.BufferT()
    lonely.data = list(bytes(range(256)) * 80)
    model.buffers.append(lonely)


CHANGES = {
    "TFR006": _one_without_call,
    "TFR008": _two_initializers,
    "TFR011": _longer,
    "TFR017": _ports,
    "TFR023": _left_behind,
}


@pytest.mark.parametrize("code", CHANGES)
def test_found_and_sound(code: str) -> None:
    rows = findings(changed(CHANGES[code]), code)
    assert [row.code for row in rows] == [code]
    assert rows[0].hint
    assert rows[0].location != type(rows[0].location)()
    assert findings(changed(lambda model: None), code) == []


@pytest.mark.runs
def test_what_the_runtime_does() -> None:
    """As the checks' pages say."""
    right = run(changed(lambda model: None), "infer")
    with pytest.raises(RuntimeError, match="variable != nullptr was not true"):
        run(changed(_one_without_call), "train")
    with pytest.raises(RuntimeError, match=r"init_subgraph->outputs\(\)"):
        run(changed(_ports), "infer")
    for harmless in (_longer, _left_behind, _one_without_call):
        answer = run(changed(harmless), "infer")
        assert all(np.array_equal(answer[name], right[name]) for name in right)


@pytest.mark.runs
def test_008_trained_values_are_lost() -> None:
    """`infer` after `train`: its own initializer puts the old weights back."""
    from ai_edge_litert.interpreter import Interpreter

    answers = []
    for change in (_two_initializers, lambda model: None):
        data = changed(change)
        interpreter = Interpreter(model_content=data)
        rows = []
        for name in ("train", "infer"):
            runner = interpreter.get_signature_runner(name)
            details = runner.get_input_details().items()
            rows.append(runner(**{k: np.ones(d["shape"], d["dtype"]) for k, d in details}))
        answers.append(rows[1])
    untrained = run(changed(lambda model: None), "infer")
    lost, kept = answers
    assert all(np.allclose(lost[name], untrained[name]) for name in lost)
    assert not all(np.allclose(kept[name], untrained[name]) for name in kept)
