"""Damaged and malicious SavedModels that are scanned: protocol buffers are parsed in a child."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import made

from tflrepair.commands.scan_saved_model import scan_saved_model
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.weights.native import client

pytestmark = [pytest.mark.tf, pytest.mark.runs]


def message(number: int, *contents: bytes) -> bytes:
    """Fields of wire type 2 (https://protobuf.dev/programming-guides/encoding/)."""
    return b"".join(varint(number << 3 | 2) + varint(len(row)) + row for row in contents)


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def node(name: str, op: str, inputs: Iterable[str] = ()) -> bytes:
    """NodeDef (tensorflow/core/framework/node_def.proto)."""
    rows = message(3, *(text.encode() for text in inputs))
    return message(1, name.encode()) + message(2, op.encode()) + rows


def signature(key: str, tensor: str) -> bytes:
    """An entry of MetaGraphDef.signature_def with one output."""
    info = message(1, tensor.encode())
    output = message(1, b"out") + message(2, info)
    return message(1, key.encode()) + message(2, message(2, output))


def saved_model(nodes: list[bytes], signatures: list[bytes]) -> bytes:
    graph = message(2, message(1, *nodes))
    return message(2, graph + message(5, *signatures))


def scan(folder: Path, data: bytes) -> None:
    (folder / "saved_model.pb").write_bytes(data)
    scan_saved_model(folder)


def test_what_is_made_here_is_read(tmp_path: Path) -> None:
    data = saved_model([node("v", "VarHandleOp"), node("f", "Id", ["v"])], [signature("a", "f:0")])
    (tmp_path / "saved_model.pb").write_bytes(data)
    facts = scan_saved_model(tmp_path).facts
    assert facts.signatures == {"a": ("v",)}
    assert facts.restored == frozenset()


def test_damage_is_our_error_or_a_reading(tmp_path: Path) -> None:
    sound = (made("small") / "saved_model" / "saved_model.pb").read_bytes()
    rng, refused = random.Random(3), 0
    for number in range(40):
        data = bytearray(sound)
        if number % 3:
            for _ in range(4):
                data[rng.randrange(len(data))] = rng.randrange(256)
        else:
            del data[rng.randrange(len(data)) :]
        try:
            scan(tmp_path, bytes(data))
        except TflRepairError as error:
            refused += 1
            assert str(tmp_path) in str(error)
    assert refused > 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x10\x01",  # meta_graphs as a number
        b"\x12\xff\xff\xff\xff\x0f",  # a length of 4 GB
        b"\x13" * 200,  # groups in groups
        b"\x00" * 1000,
        message(2, message(2, b"\x0b" * 1000)),
    ],
    ids=["empty", "number", "length", "groups", "zeros", "deep groups"],
)
def test_wrong_wire_types(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadFileError, match=r"saved_model\.pb"):
        scan(tmp_path, data)


def test_deep_nesting(tmp_path: Path) -> None:
    """A function as an attribute of a function as an attribute, 5,000 deep."""
    inner = b""
    for _ in range(5000):
        inner = message(10, message(2, message(1, b"f") + message(2, inner)))
    attribute = message(5, message(1, b"a") + message(2, inner))
    with pytest.raises(BadFileError, match=r"saved_model\.pb cannot be read"):
        scan(tmp_path, saved_model([node("n", "Op") + attribute], []))


def starts(count: int) -> list[bytes]:
    return [signature(f"s{i}", "n0") for i in range(count)]


# made by the test that needs one: each takes a good part of a second
BOMBS: dict[str, Callable[[], bytes]] = {
    "3,000 signatures that reach 3,000 nodes": lambda: saved_model(
        [node(f"n{i}", "VarHandleOp", [f"n{i + 1}"]) for i in range(3000)], starts(3000)
    ),
    "2,000,000 empty nodes": lambda: saved_model([b""] * 2_000_000, []),
    "a node of 200,000 inputs in 500 signatures": lambda: saved_model(
        [node("n", "Op", ["n"] * 200_000)], starts(500)
    ),
    "1,000,000 empty graphs": lambda: message(2, b"") * 1_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_wastes_time_and_memory(tmp_path: Path, name: str) -> None:
    """Our own process has little to do; the child's time and memory go by the file's size."""
    data, began = BOMBS[name](), time.process_time()
    with suppress(TflRepairError):
        scan(tmp_path, data)
    assert time.process_time() - began < 2


def test_a_file_larger_than_any_message(tmp_path: Path) -> None:
    with (tmp_path / "saved_model.pb").open("wb") as stream:
        stream.truncate(5_000_000_000)
    with pytest.raises(BadFileError, match="more than 2147483647 bytes"):
        scan_saved_model(tmp_path)


def test_a_reader_that_dies_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_TENSORFLOW_MEMORY", 40 << 20)
    with pytest.raises(TflRepairError, match=str(tmp_path)):
        scan(tmp_path, saved_model([], []))


@pytest.mark.parametrize("kind", ["fifo", "loop", "dangling", "device"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "saved_model.pb"
    if kind == "fifo":
        os.mkfifo(place)
    else:
        ends = {"loop": place, "dangling": tmp_path / "x", "device": Path("/dev/zero")}
        place.symlink_to(ends[kind])
    run = [sys.executable, "-m", "tflrepair", "scan", str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "saved_model.pb" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_cannot_send_commands_to_the_terminal(tmp_path: Path) -> None:
    name = "\x1b[31mred\x07\u202e"
    data = saved_model([node(name, "VarHandleOp")], [signature(name, name)])
    (tmp_path / "saved_model.pb").write_bytes(data)
    run = [sys.executable, "-m", "tflrepair", "scan", str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)
