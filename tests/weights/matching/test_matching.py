"""Matching real Keras files to real broken models: right, as running shows, or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from build import save_npz

import tflrepair
from tflrepair import weights
from tflrepair.errors import RefusedError, UserError
from weights.cases import CASES, DATA, answers_right, match, same, values

FILES = ("donor.weights.h5", "donor.keras", "donor.h5", "by_path.npz")
# where two variables have one path, an .npz by path cannot hold the model
PAIRS = [(case, file) for case in CASES for file in FILES if (DATA / case / file).exists()]


@pytest.mark.parametrize(("case", "file"), PAIRS)
def test_right_as_running_shows(case: str, file: str) -> None:
    table = match(case, DATA / case / file)
    assert table.problems == ()
    assert answers_right(case, table)


def test_running_shows_a_swap() -> None:
    """The check itself can fail: two layers of one shape exchanged give another answer."""
    table = match("row", DATA / "row" / "donor.weights.h5")
    first, second = sorted(w.path for r in table.rows if (w := r.weight) and len(w.shape) == 2)[:2]
    swap = {first: second, second: first}
    mapping = {
        r.target.shared_name: swap[r.weight.path]
        for r in table.rows
        if r.weight and r.weight.path in swap
    }
    assert not answers_right(
        "row", match("row", DATA / "row" / "donor.weights.h5", mapping=mapping)
    )


@pytest.mark.parametrize("case", CASES)
def test_values_have_the_variables_own_type_and_shape(case: str) -> None:
    for row in match(case, DATA / case / "donor.weights.h5").rows:
        value = row.value()
        assert (value.dtype.name, value.shape) == (row.target.dtype, row.target.shape)
        assert value.nbytes == row.nbytes
        assert value.flags.c_contiguous


def test_each_row_says_why() -> None:
    for row in match("row", DATA / "row" / "donor.weights.h5").rows:
        assert row.reason
        assert row.confidence in ("exact", "named", "closed")


def _npz(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    return save_npz(path, arrays)


def test_a_bigger_file_of_equal_layers_is_refused_with_all_candidates(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "parallel" / "by_path.npz"))
    names = sorted({name.split("/")[0] for name in arrays})
    more = {name.replace(names[0], "dense_90"): a + 1 for name, a in arrays.items()}
    table = match("parallel", _npz(tmp_path / "w.npz", {**more, **arrays, "dense_99/bias": a4()}))
    assert not table.problems  # numbers leave one shift
    shifted = {n.replace("dense_", "dense_1"): a for n, a in arrays.items()}
    bigger = {**shifted, "dense_199/kernel": a4() * np.ones((4, 1), "f4"), "dense_199/bias": a4()}
    del bigger[next(iter(bigger))]
    table = match("parallel", _npz(tmp_path / "b.npz", bigger))
    assert table.problems
    with pytest.raises(RefusedError, match="--map"):
        table.require()


def a4() -> np.ndarray:
    return np.arange(4, dtype="float32")


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    cut = {name: a for name, a in arrays.items() if "batch" not in name}
    problems = match("row", _npz(tmp_path / "w.npz", cut)).problems
    assert sum(len(p.variables) for p in problems if p.kind == "missing") == 16
    assert {p.kind for p in problems} == {"missing", "conflict"}  # some names agree, others do not


def test_two_sources_that_differ_are_a_conflict_that_names_both(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    one = _npz(tmp_path / "one.npz", arrays)
    two = _npz(tmp_path / "two.npz", {n: a + 1 for n, a in arrays.items()})
    problems = match("row", one, two).problems
    assert {p.kind for p in problems} == {"conflict"}
    assert all("one.npz" in " ".join(p.candidates) for p in problems)
    assert all("two.npz" in " ".join(p.candidates) for p in problems)


def test_two_sources_that_agree_or_complete_each_other(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    base = _npz(tmp_path / "base.npz", {n: a for n, a in arrays.items() if "batch" in n})
    head = _npz(tmp_path / "head.npz", {n: a for n, a in arrays.items() if "batch" not in n})
    together = match("row", base, head)
    whole = match("row", DATA / "row" / "by_path.npz")
    assert not together.problems
    assert same(values(together), values(whole))
    assert same(values(match("row", *[DATA / "row" / "by_path.npz"] * 2)), values(whole))


def test_unused_weights_are_listed(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    path = _npz(tmp_path / "w.npz", {**arrays, "head/kernel": np.ones((4, 9), "float32")})
    table = match("row", path)
    assert not table.problems
    assert [w.path for w in table.unused] == ["head/kernel"]


def test_a_swap_of_names_against_the_order_is_refused(tmp_path: Path) -> None:
    """Names say one thing, the order in the data flow another: both are shown."""
    path = tmp_path / "w.weights.h5"
    shutil.copy(DATA / "row" / "donor.weights.h5", path)
    with h5py.File(path, "r+") as file:
        first, second = file["layers/dense/vars"].attrs, file["layers/dense_1/vars"].attrs
        first["name"], second["name"] = second["name"], first["name"]
    problems = match("row", path).problems
    assert {"conflict"} <= {p.kind for p in problems}
    assert all(len(p.candidates) > 1 for p in problems if p.kind == "conflict")


def test_a_map_decides_and_can_be_written_and_given_back(tmp_path: Path) -> None:
    path = DATA / "row" / "donor.weights.h5"
    table = match("row", path)
    mapping = json.loads(json.dumps(table.to_map()))
    again = match("row", path, mapping=mapping)
    assert {r.confidence for r in again.rows} == {"given"}
    assert same(values(again), values(table))


def test_by_name_takes_names_as_they_are(tmp_path: Path) -> None:
    """Where numbers allow two readings, only the user's word decides."""
    arrays = dict(np.load(DATA / "parallel" / "by_path.npz"))
    extra = {"dense_77/kernel": np.ones((4, 4), "float32"), "dense_77/bias": a4()}
    table = match("parallel", _npz(tmp_path / "w.npz", {**arrays, **extra}), by_name=True)
    assert not table.problems
    for row in table.rows:
        assert row.weight is not None
        assert row.weight.path == row.target.shared_name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mapping": {"dense_x/kernel": "a"}}, "not a variable"),
        ({"mapping": {"dense_5/kernel": "nothing/here"}}, "which none of the sources has"),
        ({"sets": {"adam/learning_rat": "1"}}, "not a variable"),
        ({"sets": {"dense_5/kernel": "one"}}, "not a number"),
    ],
)
def test_wrong_options_list_near_names(options: dict[str, dict[str, str]], said: str) -> None:
    names = {t.shared_name for t in __import__("weights.cases").cases.targets("row")}
    some = sorted(n for n in names if n.endswith("kernel"))[0]
    fixed = {
        kind: {k.replace("dense_5/kernel", some): v for k, v in rows.items()}
        for kind, rows in options.items()
    }
    with pytest.raises(UserError, match=said):
        match("row", DATA / "row" / "donor.weights.h5", **fixed)


def test_a_map_must_fit(tmp_path: Path) -> None:
    table = match("row", DATA / "row" / "donor.weights.h5")
    kernel = next(r for r in table.rows if r.shape == (4, 4))
    bias = next(r for r in table.rows if r.shape == (4,) and r.weight)
    assert bias.weight is not None
    with pytest.raises(UserError, match="4x4"):
        mapping = {kernel.target.shared_name: bias.weight.path}
        match("row", DATA / "row" / "donor.weights.h5", mapping=mapping)


def test_float64_is_taken_where_no_digit_is_lost(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    wide = _npz(tmp_path / "w.npz", {n: a.astype("float64") for n, a in arrays.items()})
    assert same(values(match("row", wide)), values(match("row", DATA / "row" / "by_path.npz")))
    lossy = _npz(tmp_path / "l.npz", {n: a.astype("float64") + 1e-12 for n, a in arrays.items()})
    (problem,) = match("row", lossy).problems
    assert problem.kind == "rounding"
    assert "--allow-rounding" in problem.hint
    assert len(problem.variables) == len(values(match("row", wide)))


@pytest.mark.runs
def test_rounding_is_to_the_nearest_and_only_if_allowed(tmp_path: Path) -> None:
    model, arrays = DATA / "row" / "model.tflite", dict(np.load(DATA / "row" / "by_path.npz"))
    lossy = _npz(tmp_path / "l.npz", {n: a.astype("float64") + 1e-12 for n, a in arrays.items()})
    out = tmp_path / "out.tflite"
    with pytest.raises(RefusedError, match="--allow-rounding"):
        tflrepair.fix(model, [lossy], out=out)
    assert not out.exists()
    table = tflrepair.fix(model, [lossy], out=out, allow_rounding=True).table
    assert table is not None
    assert answers_right("row", table)


def test_a_value_too_big_for_the_variable_is_never_taken(tmp_path: Path) -> None:
    arrays = {
        n: a.astype("float64") * 1e300 for n, a in np.load(DATA / "row" / "by_path.npz").items()
    }
    with pytest.raises(RefusedError, match="give another file"):
        tflrepair.fix(
            DATA / "row" / "model.tflite", [_npz(tmp_path / "w.npz", arrays)],
            out=tmp_path / "out.tflite", allow_rounding=True,
        )  # fmt: skip


def test_evidence_in_the_values(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    variance = next(n for n in arrays if n.endswith("moving_variance"))
    bad = _npz(tmp_path / "w.npz", {**arrays, variance: -arrays[variance]})
    assert [p.kind for p in match("row", bad).problems] == ["evidence"]
    nan = _npz(tmp_path / "n.npz", {**arrays, variance: arrays[variance] * np.nan})
    assert any("NaN" in w for w in match("row", nan).warnings)
    kernel = next(n for n in arrays if n.endswith("kernel"))
    zero = _npz(tmp_path / "z.npz", {**arrays, kernel: arrays[kernel] * 0})
    assert any("all zeros" in w and kernel in w for w in match("row", zero).warnings)


def test_other_forms_of_the_same_weights(tmp_path: Path) -> None:
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    expected = values(match("row", DATA / "row" / "by_path.npz"))
    assert same(values(match("row", arrays)), expected)
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file(arrays, tmp_path / "w.safetensors")
    assert same(values(match("row", tmp_path / "w.safetensors")), expected)
    with h5py.File(DATA / "row" / "donor.weights.h5") as whole:  # two shards by hand
        shards: dict[str, list[str]] = {}
        for number, layer in enumerate(whole["layers"]):
            name = f"w_{number % 2:05}.weights.h5"
            with h5py.File(tmp_path / name, "a") as shard:
                whole.copy(f"layers/{layer}", shard.require_group("layers"))
            shards[f"/layers/{layer}/vars"] = [name]
    (tmp_path / "w.weights.json").write_text(json.dumps({"weight_map": shards}))
    assert same(values(match("row", tmp_path / "w.weights.json")), expected)


def test_another_tflite_gives_its_initial_values(tmp_path: Path) -> None:
    from weights.cases import repaired

    table = match("row", DATA / "row" / "donor.weights.h5")
    path = tmp_path / "fixed.tflite"
    path.write_bytes(repaired("row", table))
    again = match("row", path)
    assert {r.confidence for r in again.rows} == {"exact"}
    assert same(values(again), values(table))
    assert weights.open_weights(path).exact
