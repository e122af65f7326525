"""Each operator against LiteRT's builtin kernel, in process and as emitted Python."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rebuild.cases import all_cases
from rebuild.single import Case, build, build_all, litert, load_emitted
from tflrepair.graph.model import from_bytes
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.module import build_module

pytestmark = pytest.mark.tf
CASES = all_cases()


def _name(case: Case) -> str:
    _name.seen[case.op] += 1  # type: ignore[attr-defined]
    return f"{case.op}-{_name.seen[case.op]}"  # type: ignore[attr-defined]


_name.seen = Counter()  # type: ignore[attr-defined]


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


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_answers_like_the_kernel(case: Case) -> None:
    data = build(case)
    runs = 3 if case.states else 1
    expected = litert(data, case.feeds, runs)
    module = build_module(from_bytes(data), {})
    for _ in range(runs):
        found = module.endpoints["run"](*case.feeds)
    for number, value in enumerate(expected):
        same(found[f"out{number}"], value, case.tolerance)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_emitted_python_answers_alike(case: Case, tmp_path: Path) -> None:
    model = from_bytes(build(case))
    expected = build_module(model, {}).endpoints["run"](*case.feeds)
    emitted = load_emitted(model, {}, tmp_path / "emitted.py")
    module = emitted.TheModelModule()
    found = module.run(*case.feeds)
    assert list(found) == list(expected)
    for name, value in expected.items():
        same(found[name], value, 0)


FIRST = {case.op: case for case in reversed(CASES)}


@pytest.fixture(scope="module")
def again() -> bytes:
    """One model with a signature for each operator, rebuilt at once."""
    return rebuild_from_tflite(from_bytes(build_all(FIRST)), {})


@pytest.mark.parametrize("case", FIRST.values(), ids=lambda case: case.op)
def test_converted_again_answers_alike(case: Case, again: bytes) -> None:
    expected = litert(build(case), case.feeds)
    found = litert(again, case.feeds, key=case.op)
    for value, other in zip(expected, found, strict=True):
        same(other, value, max(case.tolerance, 1e-5))
