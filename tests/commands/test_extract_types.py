"""extract, then fix --replace: the bytes of variables of every type come back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from build import Build
from conftest import DATA

import tflrepair
from tflrepair.analysis.variables import analyse
from tflrepair.commands.extract import extract_weights
from tflrepair.graph.model import Model, from_bytes, load

pytestmark = pytest.mark.runs

TYPES: dict[str, Any] = {
    "INT8": np.int8, "UINT8": np.uint8, "INT16": np.int16, "UINT16": np.uint16,
    "INT32": np.int32, "UINT32": np.uint32, "INT64": np.int64, "BOOL": np.bool_,
    "FLOAT16": np.float16, "BFLOAT16": ml_dtypes.bfloat16, "FLOAT32": np.float32,
    "FLOAT64": np.float64, "COMPLEX64": np.complex64,
}  # fmt: skip


def variable(kind: str, values: Any) -> Model:
    """A signature that reads ``layer/w``, which an initializer sets to ``values``."""
    build = Build()
    main = build.sub("main", "serve")
    main.call_once(1)
    handle = main.handle("layer/w")
    out = main.tensor(kind, values.shape)
    main.op("READ_VARIABLE", [handle], [out])
    main.output(out)
    init = build.sub("init")
    init.assign(init.handle("layer/w"), init.tensor(kind, values.shape, values.tobytes()))
    return from_bytes(build.bytes(), "model.tflite")


def initial(model: Model) -> bytes:
    (row,) = analyse(model).variables
    assert row.initial is not None
    return bytes(model.buffer_bytes(row.initial.buffer))


@pytest.mark.parametrize("suffix", ["npz", "safetensors", "h5"])
@pytest.mark.parametrize("kind", TYPES)
def test_the_same_bytes(kind: str, suffix: str, tmp_path: Path) -> None:
    """Also -0.0, the smallest and the largest numbers that the type has."""
    dtype = np.dtype(TYPES[kind])
    values = np.array([[0, 1, 2], [3, 1, 0]]).astype(dtype)
    if kind.startswith(("FLOAT", "BFLOAT")):
        finfo: Any = ml_dtypes.finfo
        info = finfo(dtype)
        values = np.array([[-0.0, info.max, info.smallest_subnormal], [1, 0.1, -2.5]], dtype)
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.array([[limits.min, limits.max, 0], [1, 2, 3]], dtype)
    true, other = variable(kind, values), variable(kind, np.zeros((2, 3), dtype))
    out = tmp_path / f"w.{suffix}"
    extract_weights(true, out)
    tflrepair.fix(
        other, [out], replace_values=True, by_name=True, run=False, out=tmp_path / "again.tflite"
    )
    assert initial(load(tmp_path / "again.tflite")) == initial(true) == values.tobytes()


def test_beside_the_archive(tmp_path: Path) -> None:
    """The new file of a model inside an archive cannot go beside it."""
    with zipfile.ZipFile(tmp_path / "app.apk", "w") as archive:
        archive.write(DATA / "partial.tflite", "assets/m.tflite")
    inside = f"{tmp_path / 'app.apk'}!/assets/m.tflite"
    tflrepair.fix(inside, [DATA / "partial.npz"], run=False, dry_run=False)
    assert (tmp_path / "m.fixed.tflite").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["app.apk", "m.fixed.tflite"]
