"""Values of constants, decoded; figures about them."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import strings
from tflrepair.graph.model import Model, from_bytes
from tflrepair.views.sizes import repeated, sizes
from tflrepair.views.tensors import SubgraphView
from tflrepair.views.values import array, real, statistics


def constant(kind: str, shape: tuple[int, ...], data: bytes, quantization: Any = None) -> Model:
    build = Build()
    sub = build.sub("main")
    x, value, out = sub.input(), sub.tensor(kind, shape, data), sub.tensor()
    sub.table.tensors[value].quantization = quantization
    sub.op("ADD", [x, value], [out])
    sub.output(out)
    return from_bytes(build.bytes())


def values(kind: str, shape: tuple[int, ...], data: bytes) -> Any:
    model = constant(kind, shape, data)
    return array(model, SubgraphView(model, 0).tensor(1))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("FLOAT32", "f4"), ("FLOAT16", "f2"), ("INT8", "i1"), ("INT64", "i8"), ("UINT16", "u2"),
     ("FLOAT64", "f8"), ("BOOL", "?"), ("COMPLEX64", "c8")],
)  # fmt: skip
def test_types_that_numpy_has(kind: str, dtype: str) -> None:
    wanted = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    found = values(kind, (2, 3), wanted.tobytes())
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        ("INT4", b"\x21\xf8\x07", [1, 2, -8, -1, 7]),
        ("UINT4", b"\x21\xf8\x07", [1, 2, 8, 15, 7]),
        ("INT2", b"\xe4\x01", [0, 1, -2, -1, 1]),
        ("BFLOAT16", struct.pack("<5H", 0x3F80, 0xC000, 0, 0x7F80, 0x3EAB),
         [1, -2, 0, np.inf, 0.333984375]),
        ("FLOAT8_E4M3FN", bytes([0x7E, 0x01, 0x80, 0xB8, 0x38]), [448, 2**-9, 0, -1, 1]),
        ("FLOAT8_E5M2", bytes([0x7B, 0x7C, 0x01, 0xFC, 0x3C]), [57344, np.inf, 2**-16, -np.inf, 1]),
    ],
)  # fmt: skip
def test_types_that_numpy_lacks(kind: str, data: bytes, wanted: list[float]) -> None:
    assert values(kind, (5,), data).tolist() == wanted


def test_nan_of_float8() -> None:
    assert np.isnan(values("FLOAT8_E4M3FN", (2,), b"\x7f\xff")).all()
    assert np.isnan(values("FLOAT8_E5M2", (2,), b"\x7d\xff")).all()


def test_strings() -> None:
    found = values("STRING", (2,), strings.pack(["a", "\udcff"]))
    assert found.tolist() == [b"a", b"\xff"]


def test_bytes_that_do_not_fit() -> None:
    with pytest.raises(BadFileError, match="needs 12"):
        values("FLOAT32", (3,), b"12345678")


def test_no_values_of_a_resource() -> None:
    with pytest.raises(UnsupportedError, match="resource"):
        values("RESOURCE", (1,), b"1234")


def test_real_numbers_for_each_slice() -> None:
    scales = {"scale": (0.5, 2.0), "zero_point": (1, 0), "quantized_dimension": 1, "details": None}
    found = real(np.array([[1, 1], [3, 3]], np.int8), scales)
    assert found is not None
    assert found.tolist() == [[0, 2], [1, 6]]
    assert real(np.zeros((2, 3), np.int8), scales) is None


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=st.floats(width=32)))
def test_figures_equal_numpys(data: Any) -> None:
    found = statistics(data)
    finite = data[np.isfinite(data)].astype(np.float64)
    assert found.count == data.size
    assert found.nan == np.isnan(data).sum()
    assert found.inf == np.isinf(data).sum()
    assert found.zeros == (data == 0).sum()
    assert found.sha256 == hashlib.sha256(data.tobytes()).hexdigest()[:12]
    if finite.size:
        assert (found.min, found.max) == (finite.min(), finite.max())
        assert found.mean == pytest.approx(finite.mean(), rel=1e-6, abs=1e-30)
    else:
        assert (found.min, found.max, found.mean) == (None, None, None)


def test_sizes_count_every_byte_once() -> None:
    quantization = fb.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [0.5], [0]
    model = constant("INT8", (4,), b"abcd", quantization)
    found = sizes(model, (SubgraphView(model, 0),))
    assert found.weights == 4
    assert found.parameters == {model.subgraph(0).tensor(1).buffer: 4}
    assert found.by_kind == {"ADD": (1, 4)}
    assert found.structure == model.size - 4


def test_repeated_and_unreferenced_buffers() -> None:
    build = Build()
    sub = build.sub("main")
    x = sub.input(shape=(1000,))
    for data in (b"\1" * 4000, b"\1" * 4000, b"\2" * 4000):
        out = sub.tensor(shape=(1000,))
        sub.op("ADD", [x, sub.tensor(shape=(1000,), data=data)], [out])
        x = out
    sub.output(x)
    lonely = fb.BufferT()
    lonely.data = list(b"nobody")
    build.model.buffers.append(lonely)
    model = from_bytes(build.bytes())
    found = sizes(model, (SubgraphView(model, 0),))
    assert [row.length for row in found.unreferenced_buffers] == [6]
    assert found.unreferenced == 6
    (group,) = repeated(model, found.buffers)
    assert [row.length for row in group] == [4000, 4000]
