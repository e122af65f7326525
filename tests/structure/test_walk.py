"""The encoding of a file: each way to break it is found, with its place."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest
from conftest import TESTS
from fuzz import seeds

from structure.crafted import CASES
from tflrepair.format.layout import TABLES, UNIONS
from tflrepair.structure.salvage import remains
from tflrepair.structure.verify import verify

MODEL = seeds.models()["healthy"]


def place(table: str, row: int, field: str) -> int:
    """Where a field of the sound model is."""
    return verify(memoryview(MODEL)).walk.of(table).place(row, field)


def target(where: int) -> int:
    return where + int(struct.unpack_from("<I", MODEL, where)[0])


def patched(where: int, value: bytes) -> list[tuple[str, str, int | None]]:
    """Code, path and byte of each fault after ``value`` is written over byte ``where``."""
    data = MODEL[:where] + value + MODEL[where + len(value) :]
    faults = verify(memoryview(data)).faults
    return [(row.code, row.location.path, row.location.offset) for row in faults]


def word(value: int) -> bytes:
    return struct.pack("<I", value)


@pytest.mark.parametrize("offset", [0, len(MODEL), 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC])
def test_an_offset_leads_nowhere(offset: int) -> None:
    where = place("SubGraph", 1, "operators")
    assert ("TFR101", "subgraphs[1].operators", where) in patched(where, word(offset))


def test_an_element_of_a_list_leads_nowhere() -> None:
    where = target(place("SubGraph", 0, "operators")) + 4 + 4 * 2
    found = patched(where, word(0x70000000))
    assert [row[:2] for row in found][:1] == [("TFR101", "subgraphs[0].operators[2]")]
    assert ("TFR101", "subgraphs[0].operators[2]", where) in patched(where, word(0))


def test_a_table_is_not_aligned() -> None:
    where = target(place("SubGraph", 0, "tensors")) + 4
    offset = struct.unpack_from("<I", MODEL, where)[0]
    assert ("TFR102", "subgraphs[0].tensors[0]") in [
        row[:2] for row in patched(where, word(offset + 2))
    ]


def test_a_field_list_is_malformed() -> None:
    table = verify(memoryview(MODEL)).walk.of("Model").positions[0]
    vtable = table - struct.unpack_from("<i", MODEL, table)[0]
    assert patched(vtable, b"\x03\x00") == [("TFR103", "", table)]
    assert patched(table, struct.pack("<i", -0x40000000)) == [("TFR103", "", table)]
    assert patched(vtable + 4, b"\xff\x7f") == [("TFR103", "", table)]


def test_a_list_runs_past_the_end() -> None:
    where = place("Tensor", 0, "shape")
    found = patched(target(where), word(0x3FFFFFFF))
    assert ("TFR104", "subgraphs[0].tensors[0].shape", where) in found


def test_a_string_has_no_end_or_is_no_text() -> None:
    where = place("Tensor", 0, "name")
    start = target(where)
    length = struct.unpack_from("<I", MODEL, start)[0]
    path = "subgraphs[0].tensors[0].name"
    assert patched(start + 4 + length, b"!") == [("TFR105", path, where)]
    assert patched(start + 4, b"\xff") == [("TFR106", path, where)]


def test_the_first_table_is_nowhere() -> None:
    for root in (0, 2, len(MODEL), 0xFFFFFFFF):
        data = word(root) + MODEL[4:]
        verdict = verify(memoryview(data))
        assert [row.code for row in verdict.faults] in (["TFR101"], ["TFR102"])
        assert remains(verdict).operators == {}  # and does not fail


def test_all_faults_are_collected() -> None:
    data = bytearray(MODEL)
    for row in range(3):
        name = target(place("Tensor", row, "name"))
        data[name + 4] = 0xFF
    struct.pack_into("<I", data, place("Model", 0, "version"), 7)
    found = verify(memoryview(bytes(data)))
    assert found.count == 4
    assert {row.code for row in found.faults} == {"TFR106", "TFR108"}
    offsets = [row.location.offset or 0 for row in found.faults]
    assert offsets == sorted(offsets)


def test_what_is_left_of_a_truncated_file() -> None:
    left = remains(verify(memoryview(MODEL[: len(MODEL) * 3 // 4])))
    parts = {noun: (whole, total) for noun, whole, total in left.parts}
    assert parts["signatures"][1] == 2
    assert 0 < sum(whole for whole, _ in parts.values()) < sum(total for _, total in parts.values())


@pytest.mark.runs
def test_what_wastes_time_and_memory_ends() -> None:
    """In a child with limits of its own; docs/reliability.md has the figures."""
    done = subprocess.run(
        [sys.executable, "-m", "structure.limits"], cwd=TESTS, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]
    codes = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()}
    assert codes == {
        "long_shape": "TFR112",
        "shared_operators": "TFR107",
        "overlapping_lists": "TFR107",
        "overlapping_shapes": "TFR107",
        "overlapping_names": "TFR107",
        "shared_inputs": "TFR107",
        "own_vtables": "TFR101",
        "all_offsets_broken": "TFR101",
        "shared_scales": "TFR107",
    }
    assert len(codes) == len(CASES)


def test_the_layout_is_whole() -> None:
    """Every table that another refers to is described, and comes behind it."""
    order = list(TABLES)
    for table, slots in TABLES.items():
        for _, kind in slots:
            member = kind.lstrip("[*|")
            below = UNIONS.get(member, (member,) if "*" in kind else ())
            assert all(order.index(name) > order.index(table) for name in below if name)
