"""Files that the real converter made."""

from __future__ import annotations

from pathlib import Path

import pytest
from injector import rob
from resource_models import status

from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import from_bytes, load
from tflrepair.passes.graft.plan import check_graftable


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_real_healthy_files(data: Path, name: str) -> None:
    analysis = analyse(load(data / f"{name}.tflite"))
    assert {v.status for v in analysis.variables + analysis.tables} == {"initialized"}
    assert all(v.initial for v in analysis.variables)


def test_real_float16_initial_values_go_through_dequantize(data: Path) -> None:
    initial = {v.name: v.initial for v in analyse(load(data / "f16.tflite")).variables}
    assert {name: i.via for name, i in initial.items() if i} == {
        "w": "dequantize",
        "b": "dequantize",
        "momentum": "dequantize",
        "steps": "constant",
    }


def test_real_partial_file_is_judged_by_variable(data: Path) -> None:
    assert status(analyse(load(data / "partial.tflite"))) == {
        "scale": "initialized",
        "sequential/dense/bias": "uninitialized",
        "sequential/dense/kernel": "uninitialized",
    }


def test_real_order_dependent_file(data: Path) -> None:
    assert set(status(analyse(load(data / "order.tflite"))).values()) == {"order-dependent"}


def test_real_flex_variables_are_followed_beside_builtin_ones(data: Path) -> None:
    analysis = analyse(load(data / "half.tflite"))
    found = {v.name: (v.key.kind, v.dtype, v.shape, v.status) for v in analysis.variables}
    assert found == {
        "half": ("flex", "float16", (4,), "initialized"),
        "w": ("builtin", "float32", (4,), "initialized"),
    }


def test_real_flex_variables_without_a_value(data: Path) -> None:
    robbed = from_bytes(rob((data / "half.tflite").read_bytes()))
    assert status(analyse(robbed)) == {"half": "uninitialized", "w": "uninitialized"}
    check_graftable(robbed, analyse(robbed))  # both kinds can be given a value
