"""Old bytes are copied whole, by the kernel or through memory, and a file cut short is an error."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest
from build import Build

import tflrepair
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.graph.model import Model, from_source, load
from tflrepair.rewrite.copying import OldBytes, copy
from tflrepair.sources.pages import part_of

kernel = pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="a Linux system call")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setattr("tflrepair.sources.opened.WHOLE_BELOW", 1)
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.handle("w"), (3,)))
    path = tmp_path / "model.tflite"
    path.write_bytes(build.bytes())
    return load(path)


def written(model: Model, path: Path) -> bytes:
    """All but the first and the last 5 bytes, behind 3 others, and one more behind."""
    with path.open("w+b") as stream:
        stream.write(b"new")
        assert copy(OldBytes(model, 5, model.size - 5), stream) == model.size - 10
        stream.write(b"!")
    return path.read_bytes()


def count(monkeypatch: pytest.MonkeyPatch, fault: int = 0) -> list[int]:
    """The bytes of each call of copy_file_range, which fails with ``fault``, if any."""
    real, found = os.copy_file_range, []

    def call(*arguments: Any) -> int:
        if fault:
            raise OSError(fault, os.strerror(fault))
        found.append(real(*arguments))
        return found[-1]

    monkeypatch.setattr(os, "copy_file_range", call)
    return found


@kernel
def test_the_kernel_copies(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = count(monkeypatch)
    assert written(model, tmp_path / "new") == b"new" + bytes(model.data[5:-5]) + b"!"
    assert sum(found) == model.size - 10


@kernel
@pytest.mark.parametrize("fault", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_memory_copies_what_the_kernel_refuses(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    found = count(monkeypatch, fault)
    assert written(model, tmp_path / "new") == b"new" + bytes(model.data[5:-5]) + b"!"
    assert not found


def test_without_the_system_call(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    assert written(model, tmp_path / "new") == b"new" + bytes(model.data[5:-5]) + b"!"


@kernel
def test_a_full_disk_is_no_reason_to_try_again(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space"):
        written(model, tmp_path / "new")


@kernel
def test_a_file_cut_short_is_our_error_and_leaves_nothing(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model.is_open
    os.truncate(str(model.path), 100)
    with (tmp_path / "new").open("w+b") as stream, pytest.raises(BadFileError, match="cut short"):
        copy(OldBytes(model, 0, model.size), stream)


def test_streams_and_models_in_memory(model: Model, tmp_path: Path) -> None:
    stream = io.BytesIO()
    copy(OldBytes(model, 0, model.size), stream)
    assert stream.getvalue() == bytes(model.data)
    inside = from_source(part_of(model.source, 0, model.size - 1))  # part of an open file
    assert inside.is_open
    expected = b"new" + bytes(model.read(5, model.size - 11)) + b"!"
    assert written(inside, tmp_path / "new") == expected


def test_a_large_file_is_grafted_alike(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for limit in (1, 1 << 30):
        monkeypatch.setattr("tflrepair.sources.opened.WHOLE_BELOW", limit)
        out = tmp_path / f"{limit}.tflite"
        tflrepair.fix(str(model.path), sets={"w": 2.0}, out=out, run=False)
        results.append(out.read_bytes())
    assert results[0] == results[1]


@kernel
def test_a_large_file_that_is_cut_short_while_it_is_fixed(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.copy_file_range

    def cut(*arguments: Any) -> int:
        os.truncate(str(model.path), 100)
        return real(*arguments)

    monkeypatch.setattr(os, "copy_file_range", cut)
    with pytest.raises(TflRepairError, match="cut short"):
        tflrepair.fix(str(model.path), sets={"w": 2.0}, out=tmp_path / "out.tflite", run=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.tflite"]
