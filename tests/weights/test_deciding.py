"""`--check` decides between readings of a weights file, and only where one alone agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflrepair
from tflrepair.commands.fix.resolve_by_running import MOST, resolve_by_running
from tflrepair.errors import RefusedError
from tflrepair.graph.model import load
from tflrepair.weights import MatchTable, Problem, Row, Target, Weight
from weights.cases import DATA, match

CASE = DATA / "parallel"


@pytest.fixture
def ambiguous(tmp_path: Path) -> Path:
    """The weights of a model with branches of one shape, one layer too many beside them."""
    arrays = dict(np.load(CASE / "by_path.npz"))
    numbers = sorted({int(name.split("/")[0].rpartition("_")[2]) for name in arrays})
    beside = numbers[-1] + 1
    more = {
        name.replace(f"_{numbers[-1]}/", f"_{beside}/"): array + 1
        for name, array in arrays.items()
        if f"_{numbers[-1]}/" in name
    }
    path = tmp_path / "weights.npz"
    np.savez(path, **arrays, **more)
    return path


@pytest.fixture
def check(tmp_path: Path) -> tuple[Path, Path]:
    both = np.load(CASE / "io.npz")
    np.savez(tmp_path / "in.npz", x=both["x"])
    np.savez(tmp_path / "out.npz", y=both["y"])
    return tmp_path / "in.npz", tmp_path / "out.npz"


def test_without_it_the_problem_names_it(ambiguous: Path) -> None:
    problems = match("parallel", ambiguous).problems
    assert {problem.kind for problem in problems} == {"ambiguous"}
    assert all("--check" in problem.hint and "--map" in problem.hint for problem in problems)
    assert all("--by-name" in problem.hint for problem in problems)
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
    with pytest.raises(RefusedError, match="could be"):
        tflrepair.fix(CASE / "model.tflite", [ambiguous], check=check, out=out)
    assert not out.exists()


def _map() -> dict[str, str]:
    return _right().to_map()


def _answer(path: Path, x: np.ndarray) -> np.ndarray:
    from running import Session

    return np.asarray(Session(path).run("infer", x=x)["y"])


def test_too_many_readings_are_not_run(tmp_path: Path, check: tuple[Path, Path]) -> None:
    arrays = dict(np.load(CASE / "by_path.npz"))
    first = sorted(arrays)[0].split("/")[0]
    kernel, bias = arrays[f"{first}/kernel"], arrays[f"{first}/bias"]
    many = {f"dense_{n}/{r}": a + n for n in range(100, 120) for r, a in
            (("kernel", kernel), ("bias", bias))}  # fmt: skip
    np.savez(tmp_path / "w.npz", **arrays, **many)
    with pytest.raises(RefusedError, match=f"more than {MOST} ways"):
        tflrepair.fix(CASE / "model.tflite", [tmp_path / "w.npz"], check=check)


def test_countless_readings_are_refused_at_once() -> None:
    """Forty layers that may be any of forty: most combinations take an array twice."""
    arrays = [Weight("file", f"w{n}", (2,), "float32") for n in range(40)]
    targets = [Target("", f"v{n}", "float32", (2,)) for n in range(40)]
    problems = tuple(
        Problem(
            "ambiguous", (t.shared_name,), "", choices=tuple((Row(t, "weight", w),) for w in arrays)
        )
        for t in targets
    )
    table = MatchTable(tuple(Row(t, "unresolved") for t in targets), problems)
    with pytest.raises(RefusedError, match=f"more than {MOST} ways"):
        resolve_by_running(load(CASE / "model.tflite"), table, _never, _never, lambda *_: None)


def _never(*_: object) -> Any:
    raise AssertionError("nothing may be run")
