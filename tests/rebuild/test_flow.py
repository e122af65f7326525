"""Control flow, resources and tables: from the converter, and built by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from conftest import made
from flatbuffers import flexbuffers
from running import Session

from rebuild.single import load_emitted
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.module import build_module
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
X = np.array([[1.0, -2.0, 3.0, 0.5]], np.float32)
Calls = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def plain() -> Path:
    return made("plain")


def same_everywhere(data: bytes, calls: Calls, tmp_path: Path, values: Any = None) -> None:
    """The file's own answers: from the reference, the rebuilt file and the emitted Python."""
    model = from_bytes(data)
    session = Session(data, delegate=False)
    expected = [session.run(key, **inputs) for key, inputs in calls]
    reference = run_reference(model, values or {}, calls)
    rebuilt = Session(rebuild_from_tflite(model, values or {}), delegate=False)
    emitted = load_emitted(model, values or {}, tmp_path / "emitted.py").TheModelModule()
    for (key, inputs), wanted, found in zip(calls, expected, reference, strict=True):
        converted = rebuilt.run(key, **inputs)
        written = getattr(emitted, key)(**inputs)
        for name, value in wanted.items():
            for answer in (found[name], converted[name], written[name].numpy()):
                assert np.asarray(answer).shape == value.shape
                if value.dtype.kind in "fiu":
                    np.testing.assert_allclose(answer, value, atol=1e-5)
                else:
                    assert np.asarray(answer).tolist() == value.tolist()


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_converted_models(plain: Path, name: str, tmp_path: Path) -> None:
    ask: Calls = [("infer", {"x": np.array([3, 9]) if name == "table" else X})]
    calls = ask + ask
    if name == "healthy":
        step = ("train", {"x": X, "y": np.ones((1, 3), np.float32)})
        calls = [*ask, step, step, *ask]
    same_everywhere((plain / f"{name}.tflite").read_bytes(), calls, tmp_path)


def test_values_replace_initial_values(plain: Path) -> None:
    model = load(plain / "healthy.tflite")
    key = ResourceId("builtin", "", "b")
    calls: Calls = [("infer", {"x": X})]
    before = run_reference(model, {}, calls)[0]["output"]
    after = run_reference(model, {key: np.full(3, 50, np.float32)}, calls)[0]["output"]
    initial = next(v.initial for v in analyse(model).variables if v.key == key)
    assert initial is not None
    old = np.frombuffer(model.buffer_bytes(initial.buffer), np.float32)
    np.testing.assert_allclose(after - before, (50 - old)[None], atol=1e-5)


def test_partial_model_takes_the_missing_values(plain: Path) -> None:
    model = load(plain / "partial.tflite")
    with pytest.raises(RefusedError, match="2 variables have no value"):
        build_module(model, {})
    with np.load(plain / "partial.npz") as arrays:
        kernel, bias = (arrays[name] for name in sorted(arrays, key=lambda n: "bias" in n))
    names = sorted(
        (v for v in analyse(model).variables if v.unset_in), key=lambda v: "bias" in v.name
    )
    values = {v.key: a for v, a in zip(names, (kernel, bias), strict=True)}
    answer = run_reference(model, values, [("infer", {"x": X})])[0]["output"]
    np.testing.assert_allclose(answer, (X @ kernel + bias) * [[1, 2, 3]], atol=1e-5)
    data = rebuild_from_tflite(model, values)
    np.testing.assert_allclose(Session(data).run("infer", x=X)["output"], answer, atol=1e-5)


def counter_model() -> bytes:
    """A variable whose handle is an argument of WHILE and IF; the body adds to it."""
    b = Build()
    main = b.sub("main", "run")
    times = main.input("INT32", ())
    handle = main.handle("total")
    step = main.input("FLOAT32", (2,))
    start = main.tensor("INT32", (), np.int32(0).tobytes())
    b.sub("condition"), b.sub("body"), b.sub("then"), b.sub("otherwise"), b.sub("init")
    graphs = {t.name: t for t in b.model.subgraphs}
    main.call_once(5)
    count, total = main.tensor("INT32", ()), main.tensor("FLOAT32", (2,))
    same = [main.tensor("INT32", ()), main.tensor("RESOURCE", ()), main.tensor("FLOAT32", (2,))]
    main.loop(1, 2, [start, times, handle, step], [count, *same])
    flag = main.tensor("BOOL", ())
    main.op("GREATER", [count, main.tensor("INT32", (), np.int32(2).tobytes())], [flag])
    options = fb.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 3, 4
    main.op("IF", [flag, same[1], step], [total], options)
    main.output(total)
    main.output(count)
    for name in ("condition", "body", "then", "otherwise", "init"):
        _fill(b, graphs[name], name)
    return b.bytes()


def _fill(b: Build, table: Any, name: str) -> None:
    sub = Sub(b, name)
    sub.table = table
    if name == "init":
        sub.assign(sub.handle("total"), sub.tensor(data=np.array([10, 20], np.float32).tobytes()))
        return
    if name in ("condition", "body"):
        count, times = sub.input("INT32", ()), sub.input("INT32", ())
    handle, step = sub.input("RESOURCE", ()), sub.input()
    if name == "condition":
        out = sub.tensor("BOOL", ())
        sub.op("LESS", [count, times], [out])
        sub.output(out)
        return
    old, new = sub.read(handle), sub.tensor()
    sub.op("SUB" if name == "otherwise" else "ADD", [old, step], [new])
    if name != "body":
        sub.output(new)
        return
    sub.assign(handle, new)
    one, following = sub.tensor("INT32", (), np.int32(1).tobytes()), sub.tensor("INT32", ())
    sub.op("ADD", [count, one], [following])
    for tensor in (following, times, handle, step):
        sub.output(tensor)


def test_handles_as_arguments(tmp_path: Path) -> None:
    def call(times: int) -> tuple[str, dict[str, Any]]:
        return "run", {"in0": np.int32(times), "in1": np.array([1, 2], np.float32)}

    same_everywhere(counter_model(), [call(3), call(0), call(5)], tmp_path)


def test_loop_that_grows_its_variable(tmp_path: Path) -> None:
    b = Build()
    main = b.sub("main", "run")
    x = main.input("FLOAT32", (1,))
    zero = main.tensor("INT32", (), np.int32(0).tobytes())
    outs = [main.tensor("INT32", ()), main.tensor("FLOAT32", (1,))]
    main.table.tensors[outs[1]].shapeSignature = [-1]
    main.loop(1, 2, [zero, x], outs)
    main.output(outs[1])
    condition, body = b.sub("condition"), b.sub("body")
    for sub in (condition, body):
        count, grown = sub.input("INT32", ()), sub.input("FLOAT32", (1,))
        sub.table.tensors[grown].shapeSignature = [-1]
    flag = condition.tensor("BOOL", ())
    limit = condition.tensor("INT32", (), np.int32(3).tobytes())
    condition.op("LESS", [0, limit], [flag])
    condition.output(flag)
    more, longer = body.tensor("INT32", ()), body.tensor("FLOAT32", (2,))
    body.table.tensors[longer].shapeSignature = [-1]
    body.op("ADD", [count, body.tensor("INT32", (), np.int32(1).tobytes())], [more])
    body.op("CONCATENATION", [grown, grown], [longer], fb.ConcatenationOptionsT())
    body.output(more)
    body.output(longer)
    same_everywhere(b.bytes(), [("run", {"in0": np.array([1.5], np.float32)})], tmp_path)


def test_composite_runs_its_decomposition(tmp_path: Path) -> None:
    b = Build()
    main = b.sub("main", "run")
    x, y = main.input(), main.tensor()
    options = fb.StableHLOCompositeOptionsT()
    options.name, options.decompositionSubgraphIndex = "double", 1
    options.compositeAttributes = list(flexbuffers.Dumps({}))
    main.op("STABLEHLO_COMPOSITE", [x], [y], options)
    main.output(y)
    inner = b.sub("inner")
    a, out = inner.input(), inner.tensor()
    inner.op("ADD", [a, a], [out])
    inner.output(out)
    same_everywhere(b.bytes(), [("run", {"in0": np.array([1, 2], np.float32)})], tmp_path)


def test_call_is_inlined() -> None:
    """LiteRT has no kernel for CALL; converters inline it."""
    b = Build()
    main = b.sub("main", "run")
    x, y = main.input(), main.tensor()
    handle = main.handle("w")
    main.call(1, [x, handle], [y])
    main.output(y)
    inner = b.sub("inner")
    a, inner_handle = inner.input(), inner.input("RESOURCE", ())
    out = inner.tensor()
    inner.op("MUL", [a, inner.read(inner_handle)], [out])
    inner.output(out)
    values = {ResourceId("builtin", "", "w"): np.array([3, 4], np.float32)}
    answer = run_reference(
        from_bytes(b.bytes()), values, [("run", {"in0": np.array([1, 2], np.float32)})]
    )
    assert answer[0]["out0"].tolist() == [3, 8]


def test_container_is_part_of_a_variable() -> None:
    b = Build()
    main = b.sub("main", "run")
    total = main.tensor()
    main.op("SUB", [main.read(main.handle("w", "a")), main.read(main.handle("w", "b"))], [total])
    main.output(total)
    values = {
        ResourceId("builtin", c, "w"): np.array([n, n], np.float32) for c, n in (("a", 9), ("b", 4))
    }
    model = from_bytes(b.bytes())
    assert run_reference(model, values, [("run", {})])[0]["out0"].tolist() == [5, 5]


def test_names_that_python_does_not_take(tmp_path: Path) -> None:
    """The rebuilt file and the emitted one have the model's names, in the model's order."""
    b = Build()
    main = b.sub("main", "run")
    x, y, out, more = main.input(), main.input(), main.tensor(), main.tensor()
    main.op("SUB", [x, y], [out])
    main.op("ADD", [x, y], [more])
    main.output(out)
    main.output(more)
    raw = fb.ModelT.InitFromPackedBuf(b.bytes(), 0)
    signature = raw.signatureDefs[0]
    for row, name in zip(signature.inputs, ("z:0 \"'", "add"), strict=True):
        row.name = name
    for row, name in zip(signature.outputs, ("z/1", "1st"), strict=True):
        row.name = name
    model = _packed(raw)
    rebuilt = from_bytes(rebuild_from_tflite(model, {}))
    names = [[n for n, _ in part] for s in rebuilt.signatures for part in (s.inputs, s.outputs)]
    assert names == [["z:0 \"'", "add"], ["z/1", "1st"]]
    emitted = load_emitted(model, {}, tmp_path / "emitted.py")
    converted = from_bytes(emitted.convert())
    assert [s.inputs for s in converted.signatures] == [s.inputs for s in rebuilt.signatures]
    feeds = {"z:0 \"'": np.array([5, 6], np.float32), "add": np.array([1, 2], np.float32)}
    assert run_reference(model, {}, [("run", feeds)])[0]["z/1"].tolist() == [4, 4]
    assert Session(bytes(rebuilt.data)).run("run", **feeds)["1st"].tolist() == [6, 8]


def _packed(raw: Any) -> Model:
    builder = flatbuffers.Builder(1024)
    builder.Finish(raw.Pack(builder), b"TFL3")
    return from_bytes(bytes(builder.Output()))


def test_a_loop_may_not_swap_resources() -> None:
    b = Build()
    main = b.sub("main", "run")
    first, second = main.handle("a"), main.handle("b")
    outs = [main.tensor("RESOURCE", ()) for _ in range(2)]
    main.loop(1, 2, [first, second], outs)
    value = main.read(outs[0])
    main.output(value)
    condition, body = b.sub("condition"), b.sub("body")
    for sub in (condition, body):
        sub.input("RESOURCE", ()), sub.input("RESOURCE", ())
    condition.output(condition.tensor("BOOL", (), b"\0"))
    body.table.outputs = [1, 0]
    values = {ResourceId("builtin", "", n): np.zeros(2, np.float32) for n in "ab"}
    with pytest.raises(UnsupportedError, match="other resources"):
        build_module(from_bytes(b.bytes()), values)


def test_a_loop_variable_whose_size_only_the_file_knows() -> None:
    """A rolled GRU slices and joins its state: TensorFlow no longer sees the size it declares."""
    import tensorflow as tf

    from tflrepair.rebuild.ops.common import loop

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def run(rows: Any) -> Any:
        def body(step: Any, state: Any) -> list[Any]:
            return [step + 1, tf.reshape(state + 1.0, tf.stack([rows, 2]))]

        start = [tf.constant(0), tf.zeros((3, 2))]
        _, state = loop(lambda step, _: [step < 4], body, start, [[], [3, 2]])
        assert state.shape == (3, 2)
        return state

    np.testing.assert_array_equal(run(tf.constant(3)), np.full((3, 2), 4.0))
