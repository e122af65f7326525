"""Weights in a file beside the model (Model.external_buffers): read from there, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

import tflrepair
from sources.server import serving
from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.graph.model import Model
from tflrepair.report import extract_text
from tflrepair.views.tensors import SubgraphView
from tflrepair.views.values import array

FIRST, SECOND = (np.arange(4, dtype=np.float32) + start for start in (1, 11))


def made(folder: Path, name: str = "weights.bin", packing: str = "unpacked") -> Path:
    """x * FIRST * SECOND; the weights at bytes 64 and 128 of the file ``name``."""
    build = Build()
    main = build.sub("main", "run")
    value = main.input(shape=(4,))
    build.model.externalBufferGroups, build.model.externalBuffers = [fb.ExternalBufferGroupT()], []
    build.model.externalBufferGroups[0].name = name
    for number in range(2):
        constant, out = main.tensor(shape=(4,)), main.tensor(shape=(4,))
        tensor, row = main.table.tensors[constant], fb.ExternalBufferT()
        tensor.buffer, tensor.externalBuffer = 0, 0x80000000 + number
        row.id, row.group, row.packing = tensor.externalBuffer, 0, packing
        row.offset, row.length = 64 * (number + 1), 16
        build.model.externalBuffers.append(row)
        main.op("MUL", [value, constant], [out], fb.MulOptionsT())
        value = out
    main.output(value)
    path = folder / "model.tflite"
    path.write_bytes(build.bytes())
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    data = bytes(64) + FIRST.tobytes() + bytes(48) + SECOND.tobytes()
    (folder / "weights.bin").write_bytes(data)
    (tmp_path / "secret.bin").write_bytes(data)
    return made(folder)


def values(model: Model) -> list[list[float]]:
    view = SubgraphView(model, 0)
    tensors = [view.tensor(index) for index in (1, 3)]
    return [array(model, tensor).tolist() for tensor in tensors]


def test_values_are_read_from_the_file_beside(path: Path) -> None:
    assert tflrepair.scan(path).ok and tflrepair.scan(path, values=True).ok
    assert values(tflrepair.load(path)) == [FIRST.tolist(), SECOND.tolist()]


def test_they_are_extracted(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    tflrepair.extract_weights(path, out, constants=True)
    with np.load(out) as stored:
        found = sorted(stored[name].tolist() for name in stored.files)
    assert found == [FIRST.tolist(), SECOND.tolist()]


def test_a_part_says_what_must_lie_beside_it(path: Path, tmp_path: Path) -> None:
    part = tflrepair.extract_part(path, tmp_path / "part.tflite", signature="run")
    assert part.beside == ("weights.bin",)
    assert "weights.bin: put that beside it" in "\n".join(extract_text.part_lines(part))
    assert [f.code for f in tflrepair.scan(tmp_path / "part.tflite").findings] == ["TFR032"]
    (tmp_path / "weights.bin").write_bytes(path.with_name("weights.bin").read_bytes())
    assert tflrepair.scan(tmp_path / "part.tflite").ok


def test_from_a_server(path: Path) -> None:
    weights = path.with_name("weights.bin")
    with serving(path) as served:
        served.others = {"/weights.bin": weights}
        assert values(tflrepair.load(served.address)) == [FIRST.tolist(), SECOND.tolist()]


@pytest.mark.parametrize(
    "name", ["../secret.bin", "a/../../secret.bin", "/etc/passwd", "C:\\x", "..\\x", "", "file://x"]
)
def test_a_path_out_of_the_folder_is_not_followed(path: Path, name: str) -> None:
    made(path.parent, name)
    with pytest.raises(UnsupportedError, match="leads out of the folder"):
        values(tflrepair.load(path))


def test_a_link_out_of_the_folder_is_not_followed(path: Path) -> None:
    weights = path.with_name("weights.bin")
    weights.unlink()
    weights.symlink_to(path.parent.parent / "secret.bin")
    with pytest.raises(UnsupportedError, match="leads out of the folder"):
        values(tflrepair.load(path))


def test_what_is_missing_short_or_packed_is_said(path: Path) -> None:
    weights = path.with_name("weights.bin")
    data = weights.read_bytes()
    with pytest.raises(UnsupportedError, match="no file of its own"):
        values(tflrepair.load(path.read_bytes()))
    weights.write_bytes(data[:-1])
    with pytest.raises(BadFileError, match="end behind that file of 143 bytes"):
        values(tflrepair.load(path))
    weights.unlink()
    with pytest.raises(UnsupportedError, match="there is no such file") as caught:
        values(tflrepair.load(path))
    assert "put the file beside the model" in str(caught.value)
    weights.write_bytes(data)
    made(path.parent, packing="tiled")
    with pytest.raises(TflRepairError, match="packed as 'tiled'"):
        values(tflrepair.load(path))


def codes(path: Path | bytes) -> list[str]:
    return [finding.code for finding in tflrepair.scan(path, values=True).findings]


@pytest.mark.parametrize("fault", ["missing", "short", "folder", "link"])
def test_032_a_file_that_gives_no_values(path: Path, fault: str) -> None:
    weights = path.with_name("weights.bin")
    data = weights.read_bytes()
    assert codes(path) == []
    weights.unlink()
    if fault == "short":
        weights.write_bytes(data[:-1])
    elif fault == "folder":
        weights.mkdir()
    elif fault == "link":
        weights.symlink_to(path.parent.parent / "secret.bin")
    (row,) = tflrepair.scan(path).findings
    assert row.code == "TFR032" and row.severity == "error" and row.hint
    assert (row.location.subgraph, row.location.tensor) == (0, 3)
    assert codes(path) == ["TFR032"]
    assert codes(path.read_bytes()) == []  # nothing is beside bytes


def test_032_on_a_server(path: Path) -> None:
    weights, short = path.with_name("weights.bin"), path.with_name("short.bin")
    short.write_bytes(weights.read_bytes()[:-1])
    for beside, found in ((weights, []), (short, ["TFR032"])):
        with serving(path) as served:
            served.others = {"/weights.bin": beside}
            assert [row.code for row in tflrepair.scan(served.address).findings] == found


def test_032_looks_at_a_limited_number_of_files(path: Path) -> None:
    build = Build()
    main = build.sub("main", "run")
    build.model.externalBufferGroups, build.model.externalBuffers = [], []
    for number in range(20_000):
        group, row = fb.ExternalBufferGroupT(), fb.ExternalBufferT()
        group.name, row.id, row.group, row.length = f"{number}", 1 + number, number, 4
        build.model.externalBufferGroups.append(group)
        build.model.externalBuffers.append(row)
        tensor = main.table.tensors[main.tensor(shape=(1,))]
        tensor.buffer, tensor.externalBuffer = 0, row.id
    path.write_bytes(build.bytes())
    rows = tflrepair.scan(path, select=["TFR032"]).findings
    assert len(rows) == 1001 and "20,000 files" in rows[-1].message


@pytest.mark.runs
@pytest.mark.parametrize("there", [True, False])
def test_032_says_what_the_runtimes_do(path: Path, there: bool) -> None:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.interpreter import Interpreter

    if not there:
        path.with_name("weights.bin").unlink()
        with pytest.raises(RuntimeError, match="Failed to open"):
            CompiledModel.from_file(str(path))
    else:
        CompiledModel.from_file(str(path))
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    with pytest.raises(RuntimeError, match="lacks data"):
        interpreter.invoke()


@pytest.mark.runs
def test_it_is_not_run_by_an_interpreter(path: Path) -> None:
    report = tflrepair.verify(path)
    assert {run.status for run in report.runs} == {"not-run"}
    assert all("beside the model" in run.reason for run in report.runs)
