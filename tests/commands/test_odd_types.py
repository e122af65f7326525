"""Constants that are no plain floats: what show, diff and extract say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

from tflrepair.commands.diff import diff
from tflrepair.commands.extract import extract_weights
from tflrepair.commands.show import show
from tflrepair.format import strings
from tflrepair.graph.model import from_bytes
from tflrepair.report.diff import text as diff_text
from tflrepair.report.extract_text import weights_lines
from tflrepair.report.show import text as show_text
from tflrepair.report.style import Style

CONSTANTS: dict[str, tuple[str, tuple[int, ...], bytes]] = {
    "labels": ("STRING", (3,), strings.pack(["a", "b\x1b[31m", "c"])),
    "complex": ("COMPLEX64", (2,), np.array([1 + 2j, 3], np.complex64).tobytes()),
    "one complex": ("COMPLEX128", (), np.complex128(1e300j).tobytes()),
    "int4": ("INT4", (5,), bytes([0x21, 0xF3, 0x07])),
    "bfloat16": ("BFLOAT16", (3,), np.array([0x3F80, 0x4000, 0xC040], np.uint16).tobytes()),
    "scalar": ("FLOAT32", (), np.float32(3.5).tobytes()),
    "no elements": ("FLOAT32", (0, 4), b""),
    "bools": ("BOOL", (3,), bytes([1, 0, 1])),
    "largest": ("UINT64", (1,), b"\xff" * 8),
}
TOLD = {
    "labels": "3 strings: 'a', 'b\\x1b[31m', 'c'\n",
    "complex": "value 1+2j, 3+0j\n",
    "one complex": "value 0+1e+300j\n",
    "int4": "min -1, max 7",
    "bfloat16": "value 1, 2, -3\n",
    "scalar": "value 3.5\n",
    "no elements": "no elements\n",
    "bools": "value 1, 0, 1\n",
    "largest": "value 18446744073709551615\n",
}


def model(**changes: tuple[str, tuple[int, ...], bytes]) -> Any:
    build = Build()
    sub = build.sub("main", "main")
    for name, (kind, shape, data) in {**CONSTANTS, **changes}.items():
        tensor, out = sub.tensor(kind, shape, data), sub.tensor("INT32", (len(shape),))
        sub.table.tensors[tensor].name = name
        sub.op("SHAPE", [tensor], [out])
        sub.output(out)
    return from_bytes(build.bytes())


def shown(name: str | None, *, values: bool) -> str:
    result = show(model(), tensor=name)
    return show_text.render(result, Style(), width=80, everything=True, values=values) + "\n"


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_by_name(name: str) -> None:
    assert TOLD[name] in shown(name, values=False)
    assert len(shown(name, values=True)) > len(shown(name, values=False))


def test_all_at_once() -> None:
    whole = shown(None, values=False)
    assert all(name in whole for name in CONSTANTS if name != "no elements")


def test_which_string_differs() -> None:
    other = model(labels=("STRING", (3,), strings.pack(["a", "b\x1b[31m", "d"])))
    assert diff(model(), model()).same
    result = diff(model(), other)
    assert not result.same
    told = " ".join("\n".join(diff_text.lines(result, Style(), width=80, everything=False)).split())
    assert "input 0 'labels': 'c' -> 'd' (string 2; 1 of 3 strings differs)" in told


def sparse(indices: list[int]) -> Any:
    """[4] with two stored values, at these places."""
    build = Build()
    sub = build.sub("main", "main")
    weights, out = sub.tensor("FLOAT32", (4,), np.array([1, 2], np.float32).tobytes()), sub.tensor()
    row = fb.DimensionMetadataT()
    row.format = fb.DimensionType.SPARSE_CSR
    row.arraySegmentsType = row.arrayIndicesType = fb.SparseIndexVector.Uint8Vector
    row.arraySegments, row.arrayIndices = fb.Uint8VectorT(), fb.Uint8VectorT()
    row.arraySegments.values, row.arrayIndices.values = [0, 2], indices
    table = fb.SparsityParametersT()
    table.traversalOrder, table.blockMap, table.dimMetadata = [0], [], [row]
    sub.table.tensors[weights].sparsity = table
    sub.op("DENSIFY", [weights], [out])
    sub.output(out)
    return from_bytes(build.bytes())


def test_equal_values_at_other_places_differ() -> None:
    """Here they are an output of the model, which no operator reads."""
    assert diff(sparse([0, 2]), sparse([0, 2])).same
    result = diff(sparse([0, 2]), sparse([1, 3]))
    assert not result.same
    told = "\n".join(diff_text.lines(result, Style(), width=80, everything=False))
    assert "other elements are stored" in " ".join(told.split())


def test_an_output_that_is_a_constant() -> None:
    def constant(value: float) -> Any:
        build = Build()
        sub = build.sub("main", "main")
        sub.output(sub.tensor("FLOAT32", (1,), np.float32(value).tobytes()))
        return from_bytes(build.bytes())

    assert diff(constant(1), constant(1)).same
    assert not diff(constant(1), constant(2)).same


def test_what_is_left_out_is_told_by_reason(tmp_path: Path) -> None:
    result = extract_weights(model(), tmp_path / "w.npz", constants=True)
    assert "  left out labels: strings are not weights" in list(weights_lines(result))
    with np.load(tmp_path / "w.npz") as arrays:
        assert arrays["int4"].tolist() == [1, 2, 3, -1, 7]
        assert arrays["complex"].tolist() == [1 + 2j, 3]
        assert arrays["no elements"].shape == (0, 4)
