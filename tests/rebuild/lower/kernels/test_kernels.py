"""Each lowering against TensorFlow's own kernel, under LiteRT, with and without XNNPACK."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Once

from rebuild.lower.kernels.cases import FAMILIES
from rebuild.lower.kernels.list_cases import LISTS
from rebuild.lower.kernels.more_cases import MORE
from rebuild.lower.kernels.random_cases import DRAWS, PLACEHOLDERS
from rebuild.lower.kernels.single import DELEGATES, Case, Models, converted, distance, first
from rebuild.lower.kernels.variable_cases import OPERATORS
from tflrepair.rebuild.lower.registry import lowerings

pytestmark = [pytest.mark.tf, pytest.mark.slow]
CASES = {family: list(make()) for family, make in (FAMILIES | MORE | LISTS).items()}


@pytest.fixture(scope="module")
def models(once: Once) -> Callable[[str], Models]:
    """A family is converted when its first case is run, and once: several processes share them."""

    def get(family: str) -> Models:
        def fill(folder: Path) -> None:
            data = converted(CASES[family], folder / "saved_model")
            (folder / "model.tflite").write_bytes(data)

        folder = once(f"kernels-{family}", fill)
        return Models(CASES[family], (folder / "model.tflite").read_bytes())

    return cache(get)


@pytest.mark.parametrize("delegate", DELEGATES)
@pytest.mark.parametrize(
    ("family", "case"),
    [pytest.param(family, case, id=case.label) for family, rows in CASES.items() for case in rows],
)
def test_like_the_kernel(models: Any, family: str, case: Case, delegate: str) -> None:
    feeds = [case.fed] + ([first(case.fed)] if case.opened else [])
    for fed in feeds:
        found = models(family).answers(case, delegate, fed)
        for got, want in zip(found, case.wanted(fed), strict=True):
            assert distance(got, want) <= case.rtol
    empty = "9:" in case.label or "2, 2" in case.note or case.op == "BroadcastGradientArgs"
    assert empty or all(np.asarray(value).size for value in found)


def test_every_lowering_has_a_case() -> None:
    """There is no exception: what TensorFlow has no kernel for has ``truth`` in its case."""
    covered = {case.op for rows in CASES.values() for case in rows}
    covered |= {row.op for row in OPERATORS} | {key.split("_")[0] for key in DRAWS}
    assert {*lowerings()} - covered - {*PLACEHOLDERS} == set()
    assert covered - {*lowerings()} <= {"Conv2D", "DepthwiseConv2dNative"}
