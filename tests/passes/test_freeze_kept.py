"""What a freeze leaves a variable, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from freeze_models import (
    B,
    W,
    add,
    infer_and_train,
    initializer,
    passed_to_subgraphs,
)
from grafted import bytes_of, freeze

from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import from_bytes


def test_an_assignment_behind_a_passed_handle_counts() -> None:
    build, body = passed_to_subgraphs()
    body.assign(2, 1)
    model = from_bytes(build.bytes())
    result = freeze(model)
    assert result.plan.kept == (("w", "subgraph 4 assigns it"),)
    assert bytes_of(result) == bytes(model.data)


def test_a_handle_that_we_lose_sight_of_is_not_frozen() -> None:
    build = infer_and_train()
    spy = build.sub("spy", "spy")
    spy.call_once(2)
    out = spy.tensor()
    spy.op("Spy", [spy.handle("b")], [out])
    spy.output(out)
    result = freeze(from_bytes(build.bytes()))
    assert dict(result.plan.kept)["b"] == "Spy takes its handle"
    assert not result.plan.changes


def test_a_read_that_serves_two_variables_is_not_frozen() -> None:
    build = Build()
    main, body = build.sub("main", "infer"), build.sub("body")
    body.output(body.read(body.input("RESOURCE", ())))
    main.call_once(initializer(build, w=W, b=B))
    outs = [main.tensor(), main.tensor()]
    for name, out in zip("wb", outs, strict=True):
        main.call(1, [main.handle(name)], [out])
    main.output(add(main, *outs))
    result = freeze(from_bytes(build.bytes()))
    assert {reason for _, reason in result.plan.kept} == {
        "a READ_VARIABLE serves several variables"
    }


def test_a_loop_that_swaps_handles_freezes_neither() -> None:
    build = Build()
    main, condition, body = build.sub("main", "infer"), build.sub("condition"), build.sub("body")
    for sub in (condition, body):
        for kind, shape in (("BOOL", ()), ("RESOURCE", ()), ("RESOURCE", ()), ("FLOAT32", (2,))):
            sub.input(kind, shape)
    condition.output(0)
    read = body.read(1)
    body.assign(2, read)
    for tensor in (0, 2, 1, read):
        body.output(tensor)
    main.call_once(initializer(build, w=W, b=B))
    flag = main.tensor("BOOL", (), b"\0")
    w, b, x = main.handle("w"), main.handle("b"), main.input()
    outs = [main.tensor("BOOL", ()), *(main.tensor("RESOURCE", ()) for _ in "wb"), main.tensor()]
    main.loop(1, 2, [flag, w, b, x], outs)
    main.output(outs[3])
    assert not freeze(from_bytes(build.bytes())).plan.frozen


def test_an_assignment_to_who_knows_what_freezes_nothing() -> None:
    build = infer_and_train()
    other = build.sub("other", "other")
    other.assign(other.input("RESOURCE", ()), other.tensor(data=W.tobytes()))
    result = freeze(from_bytes(build.bytes()))
    assert not result.plan.changes
    assert {r for _, r in result.plan.kept} == {"subgraph 3 assigns a variable that is unknown"}


def test_two_initializers_freeze_nothing() -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    for value in (W, B):
        infer.call_once(initializer(build, w=value))
    infer.output(infer.read(infer.handle("w")))
    result = freeze(from_bytes(build.bytes()))
    assert result.plan.kept == (("w", "more than one initializer assigns it"),)


def test_a_computed_initial_value_stays() -> None:
    build = Build()
    infer, init = build.sub("infer", "infer"), build.sub("init")
    infer.call_once(1)
    infer.output(infer.read(infer.handle("w")))
    init.assign(
        init.handle("w"), add(init, init.tensor(data=W.tobytes()), init.tensor(data=B.tobytes()))
    )
    result = freeze(from_bytes(build.bytes()))
    assert result.plan.kept == (("w", "its initial value is computed"),)


def test_a_quantized_initial_value_stays() -> None:
    build = Build()
    infer, init = build.sub("infer", "infer"), build.sub("init")
    infer.call_once(1)
    infer.output(infer.read(infer.handle("w")))
    bits = init.tensor("INT8", (2,), b"\1\2")
    init.table.tensors[bits].quantization = fb.QuantizationParametersT()
    init.table.tensors[bits].quantization.scale = [0.5]
    init.table.tensors[bits].quantization.zeroPoint = [0]
    wide = init.tensor()
    init.op("DEQUANTIZE", [bits], [wide])
    init.assign(init.handle("w"), wide)
    result = freeze(from_bytes(build.bytes()))
    assert result.plan.kept == (("w", "its initial value is computed"),)


def test_a_model_without_values_is_refused() -> None:
    build = Build()
    infer = build.sub("infer", "infer")
    infer.output(infer.read(infer.handle("w")))
    with pytest.raises(RefusedError, match="w is missing"):
        freeze(from_bytes(build.bytes()))


def test_metadata_that_counts_operators_is_refused() -> None:
    build = infer_and_train()
    row = fb.MetadataT()
    row.name, row.buffer = "model_control_dependencies", len(build.model.buffers)
    buffer = fb.BufferT()
    buffer.data = [1, 2, 3]
    build.model.buffers.append(buffer)
    build.model.metadata = [row]
    with pytest.raises(UnsupportedError, match="counts operators"):
        freeze(from_bytes(build.bytes()))


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_where_everything_is_assigned_the_bytes_stay(data: Path, name: str) -> None:
    old = (data / f"{name}.tflite").read_bytes()
    result = freeze(from_bytes(old))
    assert not result.plan.changes and result.plan.kept
    assert bytes_of(result) == old


@pytest.mark.slow
def test_damage_is_told_and_nothing_else() -> None:
    """Whatever bytes are wrong, freezing gives a model, or one of our errors."""
    old = passed_to_subgraphs()[0].bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(600):
        broken = bytearray(old)
        for place in rng.integers(0, len(old), 3):
            broken[place] = rng.integers(0, 256)
        try:
            bytes_of(freeze(from_bytes(bytes(broken))))
        except TflRepairError:
            refused += 1
    assert refused > 100
