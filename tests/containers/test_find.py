"""Models in folders, archives and bundles, each by its path; and archives that mean harm."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import flatbuffers
import pytest
import warm
from conftest import DATA
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tflrepair.commands.scan import scan_all
from tflrepair.containers.find import find, load_model
from tflrepair.errors import TflRepairError, UserError

MODEL = (DATA / "healthy.tflite").read_bytes()


def bundle(*models: bytes, lie: int = 0) -> bytes:
    """A .litertlm file as LiteRT-LM's builder lays it out: header, sections at 16 KB."""
    ends = []
    position = 16384
    for data in models:
        ends.append((position, position + len(data) + lie))
        position += -(-len(data) // 16384) * 16384
    builder = flatbuffers.Builder(256)
    rows = []
    for start, end in ends:
        key, text = builder.CreateString("model_type"), builder.CreateString("tf_lite_aux")
        builder.StartObject(1)
        builder.PrependUOffsetTRelativeSlot(0, text, 0)
        value = builder.EndObject()
        builder.StartObject(3)
        builder.PrependUOffsetTRelativeSlot(0, key, 0)
        builder.PrependUint8Slot(1, 9, 0)  # VData.StringValue
        builder.PrependUOffsetTRelativeSlot(2, value, 0)
        pair = builder.EndObject()
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(pair)
        items = builder.EndVector()
        builder.StartObject(4)
        builder.PrependUOffsetTRelativeSlot(0, items, 0)
        builder.PrependUint64Slot(1, start, 0)
        builder.PrependUint64Slot(2, end, 0)
        builder.PrependUint8Slot(3, 3, 0)  # AnySectionDataType.TFLiteModel
        rows.append(builder.EndObject())
    builder.StartVector(4, len(rows), 4)
    for row in reversed(rows):
        builder.PrependUOffsetTRelative(row)
    vector = builder.EndVector()
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, vector, 0)
    section = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(1, section, 0)
    builder.Finish(builder.EndObject())
    header = bytes(builder.Output())
    head = b"LITERTLM" + struct.pack("<III", 1, 7, 0)
    head = head.ljust(24, b"\0") + struct.pack("<Q", 32 + len(header)) + header
    data = head.ljust(16384, b"\0")
    for (start, _), model in zip(ends, models, strict=True):
        data = data.ljust(start, b"\0") + model
    return data


def zipped(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = zipped(tmp_path / "hand.task", {"hand.tflite": MODEL, "labels.txt": b"a"})
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "model.tflite").write_bytes(MODEL)
    (tmp_path / "deep" / "without_suffix").write_bytes(MODEL)
    (tmp_path / "deep" / "notes.txt").write_text("nothing")
    (tmp_path / "deep" / "bad.tflite").write_bytes(b"not a model at all")
    members = {"assets/hand.task": inner.read_bytes(), "classes.jar": b"PK\x05\x06" + bytes(18)}
    zipped(tmp_path / "app.aar", members, zipfile.ZIP_DEFLATED)
    (tmp_path / "chat.litertlm").write_bytes(bundle(MODEL, MODEL))
    inner.unlink()
    return tmp_path


def test_every_model_by_its_path(folder: Path) -> None:
    found = {str(Path(row.path).relative_to(folder)): row.model for row in find(folder)}
    assert sorted(found) == [
        "app.aar!/assets/hand.task!/hand.tflite",
        "chat.litertlm!/section0.tf_lite_aux",
        "chat.litertlm!/section1.tf_lite_aux",
        "deep/bad.tflite",
        "deep/model.tflite",
        "deep/without_suffix",
    ]
    assert found.pop("deep/bad.tflite") is None
    assert all(model is not None and bytes(model.data) == MODEL for model in found.values())
    for path in found:
        assert bytes(load_model(folder / path).data) == MODEL


def test_scan_all_goes_on_after_a_bad_one(folder: Path) -> None:
    outcomes = [outcome for _, outcome in scan_all(folder)]
    assert sum(isinstance(row, TflRepairError) for row in outcomes) == 1
    assert len(outcomes) == 6


@pytest.mark.runs
def test_the_command(folder: Path) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line(*arguments, cwd=folder)

    done = cli("scan", ".")
    assert done.returncode == 2
    assert "6 models: 5 with nothing wrong, 0 with errors, 1 unreadable" in done.stdout
    done = cli("scan", "app.aar", "--format", "json")
    assert (
        json.loads(done.stdout)["results"][0]["model"]["path"]
        == "app.aar!/assets/hand.task!/hand.tflite"
    )
    assert cli("show", "app.aar!/assets/hand.task!/hand.tflite").returncode == 0
    assert "no such model in the archive" in cli("show", "app.aar!/x.tflite").stderr
    assert cli("scan", "nowhere").returncode == 2


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or folder"):
        list(find(tmp_path / "nowhere"))
    assert list(find(tmp_path)) == []


def errors(path: Path) -> list[str]:
    return [row.error.message for row in find(path) if row.error]


def test_a_section_outside_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x.litertlm"
    path.write_bytes(bundle(MODEL, lie=1 << 40))
    (message,) = errors(path)
    assert "lies outside the file" in message


def test_archives_without_end(tmp_path: Path) -> None:
    data = MODEL
    for number in range(8):
        data = zipped(tmp_path / f"{number}.zip", {"inner.zip": data}).read_bytes()
    assert errors(tmp_path / "7.zip") == ["archives nested too deeply"]


def test_a_member_that_declares_more_than_it_can_hold(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {"a.tflite": MODEL}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, 0xFFFFFFF0)
    path.write_bytes(data)
    (message,) = errors(path)
    assert "declares more bytes" in message


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_archives_give_our_errors(tmp_path: Path, data: Any) -> None:
    kind = data.draw(st.sampled_from(["zip", "litertlm"]))
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        zipped(path, {"a.tflite": MODEL[:2000]}, data.draw(st.sampled_from([0, 8])))
    else:
        path.write_bytes(bundle(MODEL[:2000]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(20, len(content)))])
    try:
        for row in find(path):
            assert row.error is None or isinstance(row.error, TflRepairError)
            if row.model is not None:
                row.model.walk()
    except TflRepairError:
        pass


def test_an_archive_with_zeros_in_front(tmp_path: Path) -> None:
    """MediaPipe's .task files begin with two zeros, so that the models in them are aligned."""
    path = tmp_path / "hand.task"
    with path.open("wb") as stream:
        stream.write(b"\0\0")
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("hand.tflite", MODEL)
    found = list(find(path))
    assert [row.path for row in found] == [f"{path}!/hand.tflite"]
    assert found[0].model is not None
    assert bytes(found[0].model.data) == MODEL


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tflite")
    (found,) = find(tmp_path / "a.tflite")
    assert found.model is None and "FIFO" in str(found.error)
    assert list(find(tmp_path)) == []


def test_what_may_not_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission to search and one without permission to list (root has both)."""
    for name in ("a.tflite", "half/b.tflite", "shut/c.tflite"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(MODEL)
    looked, listed = Path.stat, os.scandir

    def look(path: Path, **options: Any) -> os.stat_result:
        if path.parent.name in ("half", "shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path, **options)

    def lists(path: Any) -> Any:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "stat", look)
    monkeypatch.setattr(os, "scandir", lists)
    found = {row.path.removeprefix(f"{tmp_path}/"): str(row.error or "") for row in find(tmp_path)}
    assert found.keys() == {"a.tflite", "half/b.tflite", "shut"} and not found["a.tflite"]
    assert "Permission denied" in found["half/b.tflite"]
    assert "may not be looked into" in found["shut"]
    (row,) = find(tmp_path / "half" / "b.tflite")
    assert "Permission denied" in str(row.error)


def test_too_many_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflrepair.containers.find._MOST_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.tflite").write_bytes(MODEL)
    rows = find(tmp_path)
    assert [next(rows).error, next(rows).error] == [None, None]
    with pytest.raises(UserError, match="more than 2 files; the rest was not looked at"):
        next(rows)


def test_an_empty_path_is_no_folder() -> None:
    with pytest.raises(UserError, match="the path is empty"):
        list(find(""))


@pytest.mark.parametrize("name", ["x" * 300, "nothing", "a\0b"])
def test_names_of_nothing(name: str, tmp_path: Path) -> None:
    try:
        (row,) = find(tmp_path / name)
        assert "cannot be opened: File name too long" in str(row.error)
    except UserError as error:
        assert "no such file" in str(error)
