"""Damaged and hostile files: an error of ours, with a place, and never anything else."""

from __future__ import annotations

import contextlib
import random
import struct
import zipfile
from pathlib import Path

import pytest
import warm
from conftest import DATA, ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tflrepair.commands.scan import scan
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format.flex import node_def
from tflrepair.format.reader import Reader
from tflrepair.graph.model import from_bytes, load
from tflrepair.report import scan_json, scan_text
from tflrepair.report.style import Style, safe

SAMPLE = ROOT / "tflrepair" / "samples" / "broken.tflite"


def scan_bytes(data: bytes) -> None:
    result = scan(from_bytes(data))
    scan_text.render(result, Style())
    scan_json.item(result)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is an HTML page"),
        (b"\n\n<html>moved</html>", "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "is a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(60), "is a ZIP archive"),
        (b"\0\0PK\x03\x04" + bytes(60), "is a ZIP archive"),
        (b"LITERTLM" + bytes(60), "is a LiteRT-LM bundle"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "is an HDF5 file"),
        (b"\x1f\x8b\x08" + bytes(60), "is gzip data"),
        (b'{"error": "not found"}', "is JSON text"),
        (bytes(1000), "is all zero bytes"),
        (b"\x08\x00\x00\x00ONNXabcdefgh", "is not a .tflite file"),
        (b"abc", "has only 3 bytes"),
    ],
)
def test_says_what_the_file_really_is(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=says) as caught:
        load(path)
    assert str(path) in str(caught.value.where)
    assert "\n" not in str(caught.value)


def test_says_what_is_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="no such file"):
        load(tmp_path / "nothing")
    with pytest.raises(BadFileError, match="is a directory"):
        load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(BadFileError, match="is a SavedModel folder"):
        load(tmp_path)


@pytest.mark.runs
@pytest.mark.parametrize("command", ["scan", "fix", "verify"])
def test_the_command_line_prints_one_line_and_exits_with_2(tmp_path: Path, command: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(SAMPLE.read_bytes()[:20000])
    done = warm.command_line(command, str(path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "truncated" in done.stderr
    if command == "scan":  # lists every fault as well
        assert len(done.stdout.splitlines()) > 20
    else:
        assert done.stdout == ""


@pytest.mark.slow
def test_truncated_anywhere() -> None:
    data = SAMPLE.read_bytes()
    for length in range(8, len(data), 61):
        with pytest.raises(TflRepairError):
            scan_bytes(data[:length])


@pytest.mark.slow
@pytest.mark.parametrize("path", [SAMPLE, *sorted(DATA.glob("*.tflite"))], ids=lambda p: p.name)
def test_flipped_bytes_never_escape(path: Path) -> None:
    """Damage gives a result or an error of ours; seeded, so a failure can be run again."""
    original = path.read_bytes()
    rng = random.Random(path.name)
    for _ in range(400):
        data = bytearray(original)
        for _ in range(rng.choice((1, 1, 2, 8))):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        with contextlib.suppress(TflRepairError):
            scan_bytes(bytes(data))


@pytest.mark.slow
def test_overwritten_words_never_escape() -> None:
    """Offsets, counts and indices are 4-byte words; the extremes are what breaks readers."""
    original = (DATA / "flow.tflite").read_bytes()
    extremes = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(original), len(original) - 4)
    for position in range(4, min(len(original), 3000) - 4, 4):
        for value in extremes:
            data = bytearray(original)
            struct.pack_into("<I", data, position, value & 0xFFFFFFFF)
            with contextlib.suppress(TflRepairError):
                scan_bytes(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_random_flex_options(data: bytes) -> None:
    with contextlib.suppress(BadFileError):
        node_def(data)


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_random_bytes_behind_a_right_head(data: bytes) -> None:
    with contextlib.suppress(TflRepairError):
        scan_bytes(data[:4].ljust(4, b"\x08") + b"TFL3" + data[4:])


def test_one_vector_shared_without_end_is_stopped() -> None:
    """10,000 tables that all refer to one vector of 250,000 numbers: 10 GB, if one believed it."""
    reader = Reader(memoryview(bytes(1 << 20)))
    with pytest.raises(BadFileError, match="has no end"):
        for _ in range(10_000):
            reader.spend(250_000)


def test_names_cannot_command_the_terminal() -> None:
    assert safe("a\x1b[31mb\nc\udcffé") == r"a\x1b[31mb\nc\udcffé"


def test_a_zip_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(BadFileError, match=r"\.keras"):
        load(path)
