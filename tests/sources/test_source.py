"""Sources of bytes: exactly what was asked for, or an error of ours."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tflrepair.errors import BadFileError
from tflrepair.sources.source import ByteSource, FileSource, MemorySource, View

CONTENT = bytes(range(256)) * 40


def opened(path: Path) -> FileSource:
    path.write_bytes(CONTENT)
    return FileSource(path.open("rb"))


@pytest.fixture(params=("memory", "file"))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> ByteSource:
    return MemorySource(CONTENT) if request.param == "memory" else opened(tmp_path / "bytes")


def test_any_piece_is_read_whole(source: ByteSource) -> None:
    assert source.size == len(CONTENT)
    for start, count in ((0, 10), (4_000, 1_000), (0, len(CONTENT)), (len(CONTENT), 0)):
        assert source.read(start, count) == CONTENT[start : start + count]


def test_what_is_not_there_is_an_error(source: ByteSource) -> None:
    with pytest.raises(BadFileError, match="cut short"):
        source.read(len(CONTENT) - 4, 5)


def test_a_file_cut_short_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    source = opened(path)
    assert source.read(5_000, 100) == CONTENT[5_000:5_100]
    with path.open("r+b") as stream:
        stream.truncate(4_096)
    with pytest.raises(BadFileError, match="cut short") as caught:
        source.read(5_000, 100)
    assert caught.value.where == "byte 5000"


def test_libraries_read_it_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    for source in (MemorySource(path.read_bytes()), FileSource(path.open("rb"))):
        with zipfile.ZipFile(View(source)) as archive:
            assert archive.read("labels.txt") == b"cat\ndog\n"
