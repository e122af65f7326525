"""Constants of another .tflite as weights: right where the model proves it, else refused.

Without TensorFlow, on a pair that its converter made; see test_constants_made.py for more pairs.
"""

from __future__ import annotations

from pathlib import Path

import build
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tflrepair import weights
from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.graph.model import load
from tflrepair.passes.freeze.freeze import freeze
from tflrepair.weights.constants.layer_constants import LayerConstant
from weights.cases import DATA, answers_right, match, repaired
from weights.constants import matched, proofs, said, taken

PAIR = DATA / "constants"
MODEL, SOURCE = PAIR / "model.tflite", PAIR / "source.tflite"
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_right_as_running_shows() -> None:
    table = matched(MODEL, SOURCE)
    assert table.problems == ()
    assert answers_right("constants", table)
    kinds = {proof.kind for proof in proofs(MODEL).values()}
    assert kinds >= {"dense kernel", "depthwise kernel", "bias", "gamma", "beta"}


def test_running_shows_a_wrong_layout() -> None:
    """The check itself can fail: one kernel turned round gives another answer."""
    table = matched(MODEL, SOURCE)
    (name,) = (n for n, v in taken(table).items() if v.shape == (11, 12))
    arrays = {**taken(table), name: taken(table)[name][::-1]}
    assert not answers_right("constants", match("constants", arrays, by_name=True))


def test_no_constant_is_matched_unless_it_is_offered() -> None:
    """Nor by a name that looks like the variable's own."""
    for by_name in (False, True):
        table = match("constants", SOURCE, by_name=by_name)
        assert {row.origin for row in table.rows} == {"unresolved"}
        assert {problem.kind for problem in table.problems} == {"missing"}


def test_a_map_may_take_any_constant() -> None:
    mapping = {n: r.weight.path for n, r in _rows(matched(MODEL, SOURCE)).items() if r.weight}
    table = matched(MODEL, SOURCE, mapping=mapping)
    assert {row.confidence for row in table.rows} == {"given"}
    assert answers_right("constants", table)


def _rows(table: weights.MatchTable) -> dict[str, weights.Row]:
    return {row.target.shared_name: row for row in table.rows}


def test_quantized_constants_are_no_weights() -> None:
    with pytest.raises(BadFileError, match="constants that are quantized"):
        weights.open_weights(PAIR / "int8.tflite")
    dynamic = matched(MODEL, PAIR / "dynamic.tflite")  # only the largest kernel is quantized
    (big,) = (n for n, s in _shapes(dynamic).items() if s == (112, 11))
    assert "no layer in the weights fits" in said(dynamic, big)
    right = taken(matched(MODEL, SOURCE))
    small = taken(dynamic)
    assert small
    assert all(np.array_equal(value, right[name]) for name, value in small.items())


def _shapes(table: weights.MatchTable) -> dict[str, tuple[int, ...] | None]:
    return {row.target.shared_name: row.target.shape for row in table.rows}


def test_float16_constants_are_for_a_map_only() -> None:
    """They are what that file computes with, not what was trained."""
    half = PAIR / "half.tflite"
    table = matched(MODEL, half)
    assert taken(table) == {}
    (name,) = (n for n, s in _shapes(table).items() if s == (11, 12))
    (path,) = (w.path for w in weights.open_weights(half).weights if w.shape == (11, 12))
    value = taken(matched(MODEL, half, mapping={name: path}))[name]
    true = taken(matched(MODEL, SOURCE))[name]
    assert np.array_equal(value, true.astype("float16").astype("float32"))


def test_a_file_with_initial_values_and_constants(tmp_path: Path) -> None:
    """Frozen, but not folded: what `train` assigns has an initial value, the rest is constant."""
    whole = tmp_path / "whole.tflite"
    whole.write_bytes(repaired("constants", matched(MODEL, SOURCE)))
    half = tmp_path / "half_frozen.tflite"
    with half.open("wb") as stream:
        frozen = freeze(AnalysisContext(load(whole))).file
        assert frozen is not None
        frozen.write(stream)
    opened = weights.open_weights(half)
    initial = [w for w in opened.weights if not isinstance(w, LayerConstant)]
    assert sorted(w.path.rpartition("/")[2] for w in initial) == ["bias", "kernel"]
    table = matched(MODEL, half)
    assert table.problems == ()
    assert answers_right("constants", table)
    assert sum(row.trusted for row in table.rows) == 2


@SLOW
@given(cut=st.floats(0, 0.999), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
def test_damage_gives_our_errors_or_a_table(
    tmp_path: Path, cut: float, flips: list[tuple[float, int]]
) -> None:
    data = bytearray(SOURCE.read_bytes())
    data = data[: int(len(data) * cut)] if not flips else data
    for place, value in flips:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path / "source.tflite"
    path.write_bytes(data)
    try:
        taken(matched(MODEL, path))
        for weight in weights.open_weights(path).weights:
            weight.read()
    except TflRepairError as error:
        assert str(error)


def test_a_constant_of_another_size_than_its_shape(tmp_path: Path) -> None:
    file = build.Build()
    graph = file.sub("main", "infer")
    x, out = graph.input(shape=(1, 4)), graph.tensor(shape=(1, 1 << 30))
    kernel = graph.tensor(shape=(1 << 30, 4), data=bytes(64))
    graph.op("FULLY_CONNECTED", [x, kernel, -1], [out])
    graph.output(out)
    path = tmp_path / "m.tflite"
    path.write_bytes(file.bytes())
    with pytest.raises(
        BadFileError, match=r"17,179,869,184 bytes, and its buffer has 64.*m\.tflite\)"
    ):
        weights.open_weights(path)


def _dense(graph: build.Sub, name: str, x: int, shape: tuple[int, int]) -> int:
    out = graph.tensor(shape=(1, shape[1]))
    graph.op("BATCH_MATMUL", [x, graph.read(graph.handle(name), shape)], [out])
    return out


def _binary(graph: build.Sub, op: str, x: int, other: int, activation: str = "NONE") -> int:
    out = graph.tensor(shape=(1, 4))
    options = getattr(fb, f"{op.capitalize()}OptionsT")()
    options.fusedActivationFunction = getattr(fb.ActivationFunctionType, activation)
    graph.op(op, [x, other], [out], options)
    return out


def _constant(graph: build.Sub) -> int:
    return graph.tensor(shape=(4,), data=np.arange(4, dtype="float32").tobytes())


def _reason(tmp_path: Path, file: build.Build) -> str:
    path = tmp_path / "m.tflite"
    path.write_bytes(file.bytes())
    return proofs(path)["dense/kernel"].reason


@pytest.mark.parametrize(
    ("ops", "wanted"),
    [
        ([], ""),
        ([("ADD", "NONE")], ""),
        ([("MUL", "NONE")], "MUL"),
        ([("DIV", "NONE")], "DIV"),
        ([("ADD", "NONE"), ("SUB", "NONE"), ("MUL", "NONE")], "MUL"),
        ([("ADD", "RELU"), ("MUL", "NONE")], ""),
        ([("MUL", "RELU")], "MUL"),
    ],
)
def test_what_follows_a_kernel(tmp_path: Path, ops: list[tuple[str, str]], wanted: str) -> None:
    """A sum is folded into the bias only; behind an activation nothing is folded."""
    file = build.Build()
    graph = file.sub("main", "infer")
    y = _dense(graph, "dense/kernel", graph.input(shape=(1, 4)), (4, 4))
    for op, activation in ops:
        y = _binary(graph, op, y, _constant(graph), activation)
    graph.output(y)
    reason = _reason(tmp_path, file)
    assert bool(reason) == bool(wanted)
    assert wanted in reason


def test_a_factor_that_is_data_is_not_folded(tmp_path: Path) -> None:
    file = build.Build()
    graph = file.sub("main", "infer")
    x = graph.input(shape=(1, 4))
    graph.output(_binary(graph, "MUL", _dense(graph, "dense/kernel", x, (4, 4)), x))
    assert _reason(tmp_path, file) == ""


def test_a_signature_that_trains_proves_nothing(tmp_path: Path) -> None:
    file = build.Build()
    graph = file.sub("main", "train")
    y = _dense(graph, "dense/kernel", graph.input(shape=(1, 4)), (4, 4))
    graph.assign(graph.handle("mean"), y)
    graph.output(y)
    assert "no signature that leaves the variables as they are" in _reason(tmp_path, file)


def test_a_kernel_that_is_changed_before_it_is_used(tmp_path: Path) -> None:
    file = build.Build()
    graph = file.sub("main", "infer")
    x, out = graph.input(shape=(1, 4)), graph.tensor(shape=(1, 4))
    kernel = graph.read(graph.handle("dense/kernel"), (4, 4))
    twice = graph.tensor(shape=(4, 4))
    graph.op("MUL", [kernel, _constant(graph)], [twice])
    graph.op("BATCH_MATMUL", [x, twice], [out])
    graph.output(out)
    assert "not use it as a layer" in _reason(tmp_path, file)


def test_a_chain_of_any_length(tmp_path: Path) -> None:
    file = build.Build()
    graph = file.sub("main", "infer")
    y, other = _dense(graph, "dense/kernel", graph.input(shape=(1, 4)), (4, 4)), _constant(graph)
    for _ in range(1500):
        y = _binary(graph, "ADD", y, other)
    graph.output(y)
    assert "more than can be followed" in _reason(tmp_path, file)
