"""`--check` decides between readings of a weights file, and only where one alone agrees."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from build import save_npz

import tflrepair
from tflrepair.commands.fix import resolve_by_running as resolving
from tflrepair.commands.fix.readings import Readings
from tflrepair.commands.fix.resolve_by_running import MOST
from tflrepair.errors import RefusedError
from tflrepair.weights import MatchTable, Problem, Row, Target, Weight
from weights.cases import DATA, match

CASE = DATA / "parallel"


def other(name: str) -> str:
    """The name under the number of another process."""
    return re.sub(r"_([0-9]+)/", lambda found: f"_{int(found[1]) + 40}/", name)


def renumbered() -> dict[str, np.ndarray]:
    return {other(name): array for name, array in np.load(CASE / "by_path.npz").items()}


@pytest.fixture
def ambiguous(tmp_path: Path) -> Path:
    """The weights of a model with branches of one shape, one layer too many beside them, all
    under the numbers of another process."""
    arrays = renumbered()
    numbers = sorted({int(name.split("/")[0].rpartition("_")[2]) for name in arrays})
    beside = numbers[-1] + 1
    more = {
        name.replace(f"_{numbers[-1]}/", f"_{beside}/"): array + 1
        for name, array in arrays.items()
        if f"_{numbers[-1]}/" in name
    }
    path = tmp_path / "weights.npz"
    save_npz(path, {**arrays, **more})
    return path


@pytest.fixture
def check(tmp_path: Path) -> tuple[Path, Path]:
    both = np.load(CASE / "io.npz")
    np.savez(tmp_path / "in.npz", x=both["x"])
    np.savez(tmp_path / "out.npz", y=both["y"])
    return tmp_path / "in.npz", tmp_path / "out.npz"


def test_without_it_the_problem_names_it(ambiguous: Path) -> None:
    problems = match("parallel", ambiguous).problems
    assert {problem.kind for problem in problems} <= {"ambiguous", "conflict"}
    assert all("--check" in problem.hint and "--map" in problem.hint for problem in problems)
    with pytest.raises(RefusedError, match="--check"):
        tflrepair.fix(CASE / "model.tflite", [ambiguous], out=ambiguous.with_name("out.tflite"))


@pytest.mark.runs
def test_the_reading_that_answers_as_expected_is_taken(
    ambiguous: Path, check: tuple[Path, Path]
) -> None:
    out = ambiguous.with_name("out.tflite")
    result = tflrepair.fix(CASE / "model.tflite", [ambiguous], check=check, out=out)
    assert result.out == str(out)
    assert result.table is not None
    wanted = {row.target.shared_name: row.value() for row in _right().rows}
    for row in result.table.rows:
        assert np.array_equal(row.value(), wanted[row.target.shared_name])
        assert row.confidence == "checked"
        assert "the only one of" in row.reason


def _right() -> tflrepair.weights.MatchTable:
    return match("parallel", CASE / "by_path.npz")


@pytest.mark.runs
def test_no_reading_answers_so(ambiguous: Path, check: tuple[Path, Path]) -> None:
    np.savez(check[1], y=np.load(check[1])["y"] + 1)
    out = ambiguous.with_name("out.tflite")
    with pytest.raises(RefusedError, match="and none gives the expected outputs"):
        tflrepair.fix(CASE / "model.tflite", [ambiguous], check=check, out=out)
    assert not out.exists()


@pytest.mark.runs
def test_several_readings_answer_so(ambiguous: Path, check: tuple[Path, Path]) -> None:
    """Inputs of zeros tell biases apart, but not kernels that nothing reaches."""
    arrays = dict(np.load(ambiguous))
    alike = {name: a * 0 if name.endswith("bias") else a for name, a in arrays.items()}
    np.savez(ambiguous, **alike)
    x = np.load(check[0])["x"]
    np.savez(check[0], x=x * 0)
    out = ambiguous.with_name("out.tflite")
    right = tflrepair.fix(
        CASE / "model.tflite", [dict(alike)], mapping=_map(), out=ambiguous.with_name("map.tflite")
    )
    answer = _answer(Path(str(right.out)), x * 0)
    np.savez(check[1], y=answer)
    with pytest.raises(RefusedError, match=r"could be|not certain"):
        tflrepair.fix(CASE / "model.tflite", [ambiguous], check=check, out=out)
    assert not out.exists()


def _map() -> dict[str, str]:
    return {name: other(path) for name, path in _right().to_map().items()}


def _answer(path: Path, x: np.ndarray) -> np.ndarray:
    from running import Session

    return np.asarray(Session(path).run("infer", x=x)["y"])


@pytest.mark.runs
def test_more_readings_than_can_be_run_are_not_all_run(
    tmp_path: Path, check: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = renumbered()
    first = sorted(arrays)[0].split("/")[0]
    many = {f"dense_{n}/{r}": arrays[f"{first}/{r}"] + n for n in range(100, 120)
            for r in ("kernel", "bias")}  # fmt: skip
    save_npz(tmp_path / "w.npz", {**arrays, **many})
    np.savez(check[1], y=np.load(check[1])["y"] + 1)
    monkeypatch.setattr(resolving, "MOST", 3)
    with pytest.raises(RefusedError, match="more than 3 ways"):
        tflrepair.fix(
            CASE / "model.tflite", [tmp_path / "w.npz"], check=check, out=tmp_path / "o.tflite"
        )


def test_countless_readings_come_likeliest_first() -> None:
    """Forty layers that may be any of forty: most combinations take an array twice."""
    values = [np.full(2, n, "float32") for n in range(40)]
    arrays = [Weight("file", f"w{n}", (2,), "float32", reader=v.copy) for n, v in enumerate(values)]
    targets = [Target("", f"v{n}", "float32", (2,)) for n in range(40)]
    problems = []
    for n, target in enumerate(targets):
        line = [arrays[n], *(w for w in arrays if w is not arrays[n])]
        choices = tuple((Row(target, "weight", w),) for w in line)
        problems.append(Problem("conflict", (target.shared_name,), "", choices=choices))
    table = MatchTable(tuple(Row(t, "unresolved") for t in targets), tuple(problems))
    readings = Readings(table, MOST)
    (group,) = readings.groups
    assert not readings.is_whole
    assert len(group) == MOST
    assert [row.weight for (row,) in group[0]] == arrays
    near = [reading for (reading,) in readings.near((group[0],), 0)]
    assert len(near) == 40 * 39 / 2  # each two exchanged
    for reading in (*group, *near):
        assert len({row.weight and row.weight.path for (row,) in reading}) == 40


def test_readings_of_the_same_values_are_one() -> None:
    zeros = [Weight("f", f"w{n}", (2,), "float32", reader=lambda: np.zeros(2)) for n in range(9)]
    target = Target("", "v", "float32", (2,))
    problem = Problem(
        "ambiguous", ("v",), "", choices=tuple((Row(target, "weight", w),) for w in zeros)
    )
    assert Readings(MatchTable((Row(target, "unresolved"),), (problem,)), MOST).count == 1


def test_groups_that_share_no_array_are_varied_one_at_a_time() -> None:
    problems, rows = [], []
    for group in range(8):
        arrays = [
            Weight(
                "f", f"g{group}w{n}", (2,), "float32", reader=partial(np.full, 2, 10 * group + n)
            )
            for n in range(4)
        ]
        target = Target("", f"v{group}", "float32", (2,))
        rows.append(Row(target, "unresolved"))
        choices = tuple((Row(target, "weight", w),) for w in arrays)
        problems.append(Problem("conflict", (target.shared_name,), "", choices=choices))
    readings = Readings(MatchTable(tuple(rows), tuple(problems)), MOST)
    assert (len(readings.groups), readings.count) == (8, 4**8)
    first = tuple(group[0] for group in readings.groups)
    assert [len(readings.near(first, group)) for group in range(8)] == [3] * 8
