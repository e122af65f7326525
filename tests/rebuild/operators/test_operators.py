"""Each operator against LiteRT's builtin kernel, in process and as emitted Python."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Once

from rebuild.operators.cases import all_cases
from rebuild.single import Case, build, build_all, litert, load_emitted
from tflrepair.graph.model import from_bytes
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.module import build_module

pytestmark = pytest.mark.tf
CASES = all_cases()


SEEN: Counter[str] = Counter()


def _name(case: Case) -> str:
    SEEN[case.op] += 1
    return f"{case.op}-{SEEN[case.op]}"


def same(found: Any, expected: Any, tolerance: float) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if found.dtype.kind == "O":
        assert found.tolist() == expected.tolist()
    else:
        wide = np.complex128 if found.dtype.kind == "c" else np.float64
        np.testing.assert_allclose(
            found.astype(wide), expected.astype(wide), rtol=tolerance, atol=tolerance
        )


class Made:
    """A case as a model, and the rebuilt module's answers from the first run on; made once."""

    def __init__(self, case: Case) -> None:
        self.model = from_bytes(build(case))
        self.runs = 3 if case.states else 1
        module = build_module(self.model, {})
        self.answers = [module.endpoints["run"](*case.feeds) for _ in range(self.runs)]


@cache
def made(number: int) -> Made:
    return Made(CASES[number])


NUMBERS = pytest.mark.parametrize("number", range(len(CASES)), ids=map(_name, CASES))


@NUMBERS
def test_answers_like_the_kernel(number: int) -> None:
    case, it = CASES[number], made(number)
    expected = litert(bytes(it.model.data), case.feeds, it.runs)
    found = it.answers[-1]
    for number, value in enumerate(expected):
        same(found[f"out{number}"], value, case.tolerance)


@NUMBERS
def test_emitted_python_answers_alike(number: int, tmp_path: Path) -> None:
    case, it = CASES[number], made(number)
    expected = it.answers[0]
    emitted = load_emitted(it.model, {}, tmp_path / "emitted.py")
    module = emitted.TheModelModule()
    found = module.run(*case.feeds)
    assert list(found) == list(expected)
    for name, value in expected.items():
        same(found[name], value, 0)


FIRST = {case.op: case for case in reversed(CASES)}


@pytest.fixture(scope="module")
def again(once: Once) -> bytes:
    """One model with a signature for each operator, rebuilt at once."""

    def fill(folder: Path) -> None:
        data = rebuild_from_tflite(from_bytes(build_all(FIRST)), {})
        (folder / "again.tflite").write_bytes(data)

    return (once("operators", fill) / "again.tflite").read_bytes()


@pytest.mark.parametrize("case", FIRST.values(), ids=lambda case: case.op)
def test_converted_again_answers_alike(case: Case, again: bytes) -> None:
    expected = litert(build(case), case.feeds)
    found = litert(again, case.feeds, key=case.op)
    for value, other in zip(expected, found, strict=True):
        same(other, value, max(case.tolerance, 1e-5))
