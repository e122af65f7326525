"""Parts of a model answer as inside the whole, and hold nothing that they do not need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import analyse
from tflrepair.commands.extract import extract_part
from tflrepair.execution import inputs, runtimes
from tflrepair.execution.entries import run_targets
from tflrepair.execution.runner import OutcomeStatus, RunCall, Task, run
from tflrepair.graph.model import Model, load
from tflrepair.tracing.trace import trace
from tflrepair.views.options import options
from tflrepair.views.tensors import SubgraphView

pytestmark = pytest.mark.runs


def initial_bytes(model: Model) -> dict[str, bytes]:
    return {
        v.name: bytes(model.buffer_bytes(v.initial.buffer))
        for v in analyse(model).variables
        if v.initial is not None
    }


def call(entry: Any, values: dict[str, Any]) -> RunCall:
    return RunCall(
        entry.signature,
        values,
        {p.name: p.tensor.index for p in entry.inputs},
        {p.name: p.tensor.index for p in entry.outputs},
    )


def answer(path: Path, signature: str | None, values: dict[str, Any]) -> dict[str, Any]:
    """The outputs under LiteRT's builtin kernels in a child process."""
    entry = run_targets(AnalysisContext(load(path)), signature)[0]
    values = {name: values[name] for name in (port.name for port in entry.inputs)}
    runtime = runtimes.find(["litert"])[0]
    ((outcome,),) = run(runtime, [Task(str(path), (call(entry, values),), delegate=False)])
    assert outcome.status == OutcomeStatus.OK, outcome.text
    return dict(outcome.outputs)


@pytest.mark.parametrize("name", ["healthy", "f16", "flow", "table"])
def test_a_signature_answers_as_in_the_whole(tmp_path: Path, name: str) -> None:
    path = DATA / f"{name}.tflite"
    for entry in run_targets(AnalysisContext(load(path))):
        out = tmp_path / f"{entry.label}.tflite"
        extract_part(path, out, signature=entry.signature)
        values = inputs.random(entry)
        mine, theirs = (answer(p, entry.signature, values) for p in (out, path))
        assert mine.keys() == theirs.keys()
        for key, value in theirs.items():
            assert np.asarray(mine[key]).tobytes() == np.asarray(value).tobytes() or (
                value.dtype == object and mine[key].tolist() == value.tolist()
            )
        # taking the same signature out again changes nothing but what is told about the whole
        again = tmp_path / "again.tflite"
        extract_part(out, again, signature=entry.signature, force=True)
        assert again.stat().st_size == out.stat().st_size


@pytest.mark.parametrize(
    ("name", "signature"), [("healthy", "train"), ("f16", "train"), ("f16", "infer")]
)
def test_every_tensor_answers_as_inside_the_whole(
    tmp_path: Path, name: str, signature: str
) -> None:
    path = DATA / f"{name}.tflite"
    model = load(path)
    entry = run_targets(AnalysisContext(model), signature)[0]
    view = SubgraphView(model, entry.subgraph)
    values = inputs.random(entry)
    tensors = [
        t
        for o in view.subgraph.operators
        for t in o.outputs
        if view.subgraph.tensor(t).dtype == "float32"
    ]
    folder = tmp_path / "trace"
    folder.mkdir()
    whole = trace(model, entry, values, tensors, folder)
    for tensor in tensors[:: max(1, len(tensors) // 6)]:
        out = tmp_path / "part.tflite"
        part = extract_part(path, out, signature=signature, outputs=[f"#{tensor}"], force=True)
        assert part.part.size < model.size or part.operators[0] <= part.operators[1]
        wanted = whole.value(tensor)
        assert wanted is not None
        (value,) = answer(out, signature, values).values()
        assert value.tobytes() == wanted.tobytes(), view.subgraph.tensor(tensor).name


def test_no_weight_that_is_not_needed_is_copied(tmp_path: Path) -> None:
    """Two large weights; a part that needs one has no byte of the other."""
    build = Build()
    sub = build.sub("main", "serve")
    x = sub.input(shape=(1000,))
    rng = np.random.default_rng(0)
    data = [rng.random(1000).astype(np.float32).tobytes() for _ in range(2)]
    for row in data:
        out = sub.tensor(shape=(1000,))
        sub.op("MUL", [x, sub.tensor(shape=(1000,), data=row)], [out], fb.MulOptionsT())
        sub.output(out)
    path = tmp_path / "whole.tflite"
    path.write_bytes(build.bytes())
    extract_part(path, tmp_path / "part.tflite", outputs=["t1"])
    part = (tmp_path / "part.tflite").read_bytes()
    assert data[0] in part
    assert data[1][:64] not in part
    assert len(part) < 4000 + 1500


def test_an_initializer_keeps_only_what_is_read(tmp_path: Path) -> None:
    build = Build()
    sub = build.sub("main", "serve")
    sub.call_once(1)
    x = sub.input()
    for name in ("needed", "other"):
        out = sub.tensor()
        sub.op("ADD", [x, sub.read(sub.handle(name))], [out], fb.AddOptionsT())
        sub.output(out)
    init = build.sub("init")
    values = {"needed": b"12345678", "other": b"87654321"}
    for name, data in values.items():
        init.assign(init.handle(name), init.tensor(data=data))
    path = tmp_path / "whole.tflite"
    path.write_bytes(build.bytes())
    outputs = [o.outputs[0] for o in load(path).subgraph(0).operators if o.name == "ADD"]
    extract_part(path, tmp_path / "part.tflite", outputs=[f"#{outputs[0]}"])
    model = load(tmp_path / "part.tflite")
    assert [v.name for v in analyse(model).variables] == ["needed"]
    assert initial_bytes(model) == {"needed": b"12345678"}
    assert b"87654321" not in bytes(model.data)
    names = [o.name for o in model.subgraph(0).operators]
    assert names == ["CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ADD"]


def test_an_assignment_before_the_read_stays(tmp_path: Path) -> None:
    """The value read is the one that was assigned; another variable's assignment goes."""
    build = Build()
    sub = build.sub("main", "serve")
    x, y = sub.input(), sub.input()
    handle, other = sub.handle("v"), sub.handle("w")
    sub.assign(handle, x)
    sub.assign(other, y)
    out = sub.tensor()
    sub.op("NEG", [sub.read(handle)], [out], fb.NegOptionsT())
    sub.output(out)
    path = tmp_path / "whole.tflite"
    path.write_bytes(build.bytes())
    extract_part(path, tmp_path / "part.tflite", outputs=[f"#{out}"])
    part = load(tmp_path / "part.tflite")
    names = [o.name for o in part.subgraph(0).operators]
    assert names == ["VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE", "NEG"]
    values = {"in0": np.array([1, 2], np.float32), "in1": np.array([0, 0], np.float32)}
    (value,) = answer(tmp_path / "part.tflite", "serve", values).values()
    assert value.tolist() == [-1, -2]


def test_options_and_called_subgraphs_survive(tmp_path: Path) -> None:
    path = DATA / "flow.tflite"
    extract_part(path, tmp_path / "part.tflite", signature="infer")
    whole, part = load(path), load(tmp_path / "part.tflite")
    before = [(o.name, options(whole, o).kind) for s in whole.subgraphs for o in s.operators]
    after = [(o.name, options(part, o).kind) for s in part.subgraphs for o in s.operators]
    assert sorted(after) == sorted(before)
