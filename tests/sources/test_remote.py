"""Models on servers: little is transferred, and whatever goes wrong is an error of ours in time."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DATA

import tflrepair
from sources.server import Served, serving
from sources.sparse import scattered
from tflrepair.errors import BadFileError, UnsupportedError, UserError
from tflrepair.sources import http


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 MB, of which a disk holds a few kilobytes."""
    path = tmp_path_factory.mktemp("large") / "model.tflite"
    scattered(path, layers=100, floats=750_000)
    return path


@pytest.fixture
def served(large: Path) -> Iterator[Served]:
    with serving(large) as served:
        yield served


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_AGAIN", (0.01, 0.02))
    monkeypatch.setattr(http, "_SILENCE", 0.3)


def test_of_a_large_model_little_is_transferred(served: Served, large: Path) -> None:
    result = tflrepair.scan(served.address)
    assert result.model.path == served.address and result.model.size > 300_000_000
    assert [str(f) for f in result.findings] == [str(f) for f in tflrepair.scan(large).findings]
    assert served.sent < 300_000 and served.asked < 150
    before = served.sent
    model = result.model
    values = model.subgraph(0).tensor(2).numpy()
    assert values.shape == (750_000,) and not values.any()
    assert 3_000_000 <= served.sent - before < 3_010_000


def test_a_small_model_comes_in_one_answer() -> None:
    with serving(DATA / "healthy.tflite") as served:
        assert tflrepair.scan(served.address).ok
        assert (served.asked, served.sent) == (1, (DATA / "healthy.tflite").stat().st_size)


def test_a_scan_says_what_it_says_of_the_file(tmp_path: Path) -> None:
    for path in sorted(DATA.glob("*.tflite")):
        padded = tmp_path / path.name  # so large that it is read by ranges
        padded.write_bytes(path.read_bytes())
        os.truncate(padded, 3 << 20)
        with serving(padded) as served:
            here, there = tflrepair.scan(padded), tflrepair.scan(served.address)
        assert [str(f) for f in here.findings] == [str(f) for f in there.findings]
        assert here.variables == there.variables


def test_models_in_an_archive_on_a_server(tmp_path: Path, large: Path) -> None:
    archive = tmp_path / "a.task"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as stream:
        stream.write(DATA / "healthy.tflite", "healthy.tflite")
        stream.writestr("other.bin", bytes(4 << 20))
        stream.write(DATA / "partial.tflite", "partial.tflite")
    with serving(archive) as served:
        result = tflrepair.scan(f"{served.address}!/partial.tflite")
        assert not result.ok and result.model.path == f"{served.address}!/partial.tflite"
        assert served.sent < 300_000


def test_a_server_without_ranges(large: Path, served: Served) -> None:
    served.ranges = False
    with pytest.raises(BadFileError, match="does not give parts of a file") as caught:
        tflrepair.scan(served.address)
    assert served.address in str(caught.value) and "download it first" in str(caught.value)
    assert served.sent < 32 << 20  # what was under way when it was clear
    served.length = False  # not even how much will come
    with pytest.raises(BadFileError, match="more than 67108864 bytes"):
        tflrepair.scan(served.address)
    with serving(DATA / "healthy.tflite") as small:
        small.ranges = small.length = False
        assert tflrepair.scan(small.address).ok


@pytest.mark.parametrize("etag", ['"one"', None])
def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, etag: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    scattered(path, layers=10, floats=250_000)
    with serving(path) as served:
        served.etag = etag
        model = tflrepair.load(served.address)
        if etag:
            served.etag = '"two"'
        else:
            os.utime(path, (1, 1))
        with pytest.raises(BadFileError, match="has changed while it was read"):
            tflrepair.scan(model)
        served.etag = etag
        model = tflrepair.load(served.address)
        os.truncate(path, path.stat().st_size - 4)
        with pytest.raises(BadFileError, match="has changed while it was read"):
            tflrepair.scan(model)
        model = tflrepair.load(served.address)
        served.ranges = False
        with pytest.raises(BadFileError, match="has changed while it was read"):
            tflrepair.scan(model)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("404", "there is no such file"),
        ("403", "may not be read"),
        ("500", "HTTP 500"),
        ("503", "HTTP 503"),
        ("hang up", "cannot be read"),
        ("half", "cannot be read"),
        ("silence", "did not answer in time"),
        ("elsewhere", "sent bytes"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_server_that_fails(
    served: Served, quickly: None, fault: str, message: str, first: bool
) -> None:
    if first:
        served.always = fault
        with pytest.raises(BadFileError, match=message) as caught:
            tflrepair.load(served.address)
    else:
        model = tflrepair.load(served.address)
        served.always = fault
        with pytest.raises(BadFileError, match=message) as caught:
            tflrepair.scan(model)
    assert served.address in str(caught.value)


@pytest.mark.parametrize("fault", ["503", "hang up", "half", "silence"])
def test_a_server_that_fails_once_is_asked_again(served: Served, quickly: None, fault: str) -> None:
    served.faults = {1: fault, 3: fault, 20: fault}
    assert tflrepair.scan(served.address).findings[0].code == "TFR001"


def test_nobody_is_there(quickly: None) -> None:
    with serving(DATA / "healthy.tflite") as served:
        address = served.address
    with pytest.raises(BadFileError, match="cannot be read"):
        tflrepair.scan(address)


def test_other_stores(large: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    data = (DATA / "partial.tflite").read_bytes()
    store.pipe("/models/partial.tflite", data + bytes(2 << 20))
    result = tflrepair.scan("memory://models/partial.tflite")
    assert result.model.is_open and not result.ok
    with pytest.raises(BadFileError, match="there is no such file"):
        tflrepair.scan("memory://models/none.tflite")
    with pytest.raises(BadFileError, match="is a directory"):
        tflrepair.scan("memory://models")
    store.pipe("/models/empty.tflite", b"")
    with pytest.raises(BadFileError, match="is empty"):
        tflrepair.scan("memory://models/empty.tflite")
    model = tflrepair.load("memory://models/partial.tflite")
    time.sleep(0.001)
    store.pipe("/models/partial.tflite", data + bytes(2 << 20))
    with pytest.raises(BadFileError, match="has changed while it was read"):
        tflrepair.scan(model)
    assert tflrepair.scan(f"file://{large}").model.size == large.stat().st_size


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no protocol that fsspec knows"):
        tflrepair.scan("nonsense://a/b.tflite")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UnsupportedError) as caught:
        tflrepair.scan("https://example.com/model.tflite")
    assert caught.value.hint == "pip install 'tflrepair[remote]'"


def test_tables_in_too_many_places(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflrepair.sources.remote._MOST_ANSWERS", 50)
    with pytest.raises(BadFileError, match="more than 50 pieces") as caught:
        tflrepair.scan(served.address)
    assert "download it first" in str(caught.value)
