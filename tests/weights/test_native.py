"""The child that reads weights with native libraries: its crash, its loop, its pieces."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from faults.hostile import DATA, WEIGHTS_FILES
from hypothesis import given
from hypothesis import strategies as st

from tflrepair.errors import BadFileError, TflRepairError, UserError
from tflrepair.weights import open_weights
from tflrepair.weights.matching.given import by_set
from tflrepair.weights.native import client, pool
from tflrepair.weights.types.match_table import SET, Row
from tflrepair.weights.types.pieces import selections
from tflrepair.weights.types.weight import Target


def test_a_crash_of_the_library_is_an_error_of_ours() -> None:
    with pytest.raises(BadFileError, match=r"crashed \(SIG") as caught:
        open_weights(DATA / "crash.keras")
    assert "crash.keras" in str(caught.value.where)


def test_a_loop_in_the_library_ends() -> None:
    with pytest.raises(BadFileError, match="to read than a file of its size"):
        open_weights(DATA / "endless.weights.h5")


@pytest.mark.parametrize("name", WEIGHTS_FILES)
def test_hostile_files_end_in_an_answer_or_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WEIGHTS_FILES[name]())
    try:
        for weight in open_weights(tmp_path / name).weights:
            for piece in weight.pieces():
                assert piece.nbytes <= 8 << 20
    except TflRepairError as error:
        assert name in str(error)


@pytest.mark.parametrize("packed", [{}, {"compression": "gzip"}])
def test_a_large_array_comes_in_pieces(tmp_path: Path, packed: dict[str, str]) -> None:
    array = np.arange(3 * 1_500_000, dtype=np.float32).reshape(3, 1_500_000)
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", data=array, **packed)
    (weight,) = open_weights(path).weights
    pieces = list(weight.pieces())
    assert len(pieces) > 1 and np.array_equal(np.concatenate(pieces), array.ravel())
    assert np.array_equal(weight.read(), array)


def test_a_file_that_changes_is_not_half_read(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.h5"
    for value in (1.0, 2.0):
        with h5py.File(path, "w") as file:
            file["layers/dense/vars/0"] = np.full(3, value, np.float32)
        if value == 1.0:
            (weight,) = open_weights(path).weights
    with pytest.raises(BadFileError, match="chang"):
        weight.read()


def _requests(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arrays that each request to a child asks for, from now on."""
    asked: list[list[str]] = []
    ask = pool.ask

    def noted(request: dict[str, Any]) -> Iterator[tuple[bytes, bytearray]]:
        asked.append(request.get("paths", []))
        return ask(request)

    monkeypatch.setattr(pool, "ask", noted)
    return asked


def test_small_arrays_are_read_together_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.weights.h5"
    values = [np.arange(size, dtype=np.float32) for size in (3, 1 << 16, 65537, 1)]
    with h5py.File(path, "w") as file:
        for number, value in enumerate(values):
            file[f"layers/dense/vars/{number}"] = value
    weights = open_weights(path).weights
    asked = _requests(monkeypatch)
    for _ in range(2):
        for weight, value in zip(weights, values, strict=True):
            assert np.array_equal(weight.read(), value)
    names = [weight.path for weight in weights]
    assert asked == [[names[0], names[1], names[3]], [names[2]], [names[2]]]


def test_the_smallest_arrays_are_kept_where_there_is_no_room_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_TOGETHER", 40)
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        for number, size in enumerate((30, 10, 20)):
            file[f"layers/dense/vars/{number}"] = np.full(size, number, np.float32)
    weights = open_weights(path).weights
    asked = _requests(monkeypatch)
    assert [weight.read()[0] for weight in weights] == [0, 1, 2]
    names = [weight.path for weight in weights]
    assert asked == [names[1:], names[:1]]


def test_a_small_array_that_cannot_be_read_is_named_and_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        for number in range(3):
            row = file.create_dataset(
                f"layers/dense/vars/{number}", data=np.full(64, number, np.float32),
                compression="gzip",
            )  # fmt: skip
            if number == 1:
                place = row.id.get_chunk_info(0)
    with path.open("r+b") as stream:
        stream.seek(place.byte_offset)
        stream.write(b"\xff" * place.size)
    first, broken, last = open_weights(path).weights
    assert (first.read()[0], last.read()[0]) == (0, 2)
    with pytest.raises(BadFileError, match="layers/dense/vars/1 cannot be read"):
        broken.read()


def test_a_file_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.weights.h5")
    (weight,) = open_weights(path).weights
    assert weight.read().sum() == 3
    path.unlink()
    with pytest.raises(BadFileError, match="vars/0 cannot be read"):
        weight.read()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No children, and no files that other tests hold."""
    pool.end_idle()
    monkeypatch.setattr(client, "_files", weakref.WeakSet())


def _saved(path: Path, value: float = 1.0) -> Path:
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.full(3, value, np.float32)
    return path


def _opened_by(pid: int) -> set[str]:
    folder = Path(f"/proc/{pid}/fd")
    return {str(link.readlink()) for link in folder.iterdir()}


@pytest.mark.usefixtures("alone")
def test_a_child_closes_the_file_that_nobody_needs_and_reads_the_next(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.weights.h5")
    source = open_weights(path)
    assert source.weights[0].read().sum() == 3
    (child,) = pool._idle
    linux = sys.platform == "linux"
    assert not linux or str(path) in _opened_by(child.process.pid)
    del source
    assert not linux or str(path) not in _opened_by(child.process.pid)
    _saved(path, 2.0)  # may be written again at once
    assert open_weights(path).weights[0].read().sum() == 6
    assert pool._idle == [child]


@pytest.mark.usefixtures("alone")
def test_a_child_that_refused_a_file_does_not_read_the_next(tmp_path: Path) -> None:
    good = _saved(tmp_path / "w.weights.h5")
    (tmp_path / "cut.weights.h5").write_bytes(good.read_bytes()[:700])
    source = open_weights(good)
    (child,) = pool._idle
    with pytest.raises(BadFileError):
        open_weights(tmp_path / "cut.weights.h5")
    del source
    assert pool._idle == [] and child.process.poll() is not None


@pytest.mark.usefixtures("alone")
def test_the_child_of_a_thread_that_may_end_is_not_taken(tmp_path: Path) -> None:
    """On Linux a child ends with the thread that started it: the file would seem to be damaged."""
    path = _saved(tmp_path / "w.weights.h5")
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(open_weights, path).result()
        (child,) = pool._idle
        mine = open_weights(path)
        assert child in pool._idle and len(pool._idle) == 2
        assert thread.submit(other.weights[0].read).result().sum() == 3
    assert mine.weights[0].read().sum() == 3


@given(st.lists(st.integers(0, 5), max_size=4), st.integers(1, 40))
def test_selections_take_each_element_once_in_order(shape: list[int], piece: int) -> None:
    array = np.arange(int(np.prod(shape)), dtype=np.int8).reshape(shape)
    parts = [np.ravel(array[where]) for where in selections(shape, 1, piece)]
    assert all(part.size <= max(piece, 1) for part in parts) or not shape
    whole = np.concatenate(parts) if parts else np.empty(0, np.int8)
    assert np.array_equal(whole, array.ravel())


def target(dtype: str, shape: tuple[int, ...] = (2,)) -> Target:
    return Target("", "v", dtype, shape)


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("float32", "nan"), ("float32", "inf"), ("float32", "1e39"), ("float16", "70000"),
        ("float32", "1e-60"), ("float64", "1e-400"), ("int64", "1e-400"),
        ("float32", "-0.1e-999"), ("float64", "1e400"), ("int64", "1e30"), ("int8", "128"),
        ("uint8", "-1"), ("bool", "2"), ("int32", "0.5"), ("float32", "x"), ("int64", "9" * 5000),
    ],
)  # fmt: skip
def test_numbers_that_no_element_can_hold_are_refused(dtype: str, text: str) -> None:
    with pytest.raises(UserError, match="--set v="):
        by_set([target(dtype)], {"v": text})


@pytest.mark.parametrize(
    ("dtype", "text", "value"),
    [
        ("float32", "3.4e38", 3.4e38), ("int64", str(2**63 - 1), 2**63 - 1), ("bool", "1", 1),
        ("bfloat16", "1.5", 1.5), ("uint8", "2.55e2", 255), ("float32", "-0.0", -0.0),
    ],
)  # fmt: skip
def test_numbers_that_fit_are_taken(dtype: str, text: str, value: float) -> None:
    (row,) = by_set([target(dtype)], {"v": text}).values()
    (piece,) = row.pieces()
    assert piece.tolist() == [np.array(value, piece.dtype).item()] * 2
    assert row.is_zero is False


def test_one_number_does_not_fill_gigabytes() -> None:
    with pytest.raises(UserError, match="fills at most"):
        by_set([target("float32", (2**31,))], {"v": 1})
    large = Row(target("float32", (3, 10_000_000)), SET, fill=2.0)
    pieces = list(large.pieces())
    assert sum(p.size for p in pieces) == 30_000_000 and all(p.nbytes <= 8 << 20 for p in pieces)
