"""Room in front of a flatbuffer that fills what runtimes read, tried with a lower limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, with_options_behind
from giants.make import full_flatbuffer
from grafted import run_pass
from running import Session

import tflrepair
from tflrepair.errors import TflRepairError, UnsupportedError
from tflrepair.format import schema, splice
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.rewrite import outside
from tflrepair.rewrite.outside import OutsidePass
from tflrepair.rewrite.relocation import OutOfReachError, check_reach
from tflrepair.sources.source import MemorySource
from tflrepair.structure.words import Words


def values(model: Model) -> list[bytes]:
    return [bytes(model.buffer_bytes(index)) for index in range(model.buffer_count)]


@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16", "checkpoint", "order"])
def test_changes(data: Path, name: str) -> None:
    """Real files: the same graph and values, tables in front, the old bytes behind."""
    old = load(data / f"{name}.tflite")
    new = from_bytes(run_pass(OutsidePass(), old))
    new.walk()
    assert bytes(new.data).endswith(bytes(old.data))
    assert values(new) == values(old)
    assert new.signatures == old.signatures
    assert new.metadata == old.metadata
    described = {index for _, index in new.metadata}
    assert {row.outside for row in new.buffers if row.length and row.index not in described} == {
        True
    }


def test_room_enough(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In front of what has been given room there is place for any number of tables."""
    old = load(data / "healthy.tflite")
    new = from_bytes(run_pass(OutsidePass(), old))
    head = len(new.data) - len(old.data)
    monkeypatch.setattr(splice, "LARGEST_FLATBUFFER", head + 100)
    check_reach(new, 100)
    monkeypatch.setattr(splice, "LARGEST_FLATBUFFER", len(old.data) + 99)
    with pytest.raises(OutOfReachError, match="flatbuffer would end at byte"):
        check_reach(old, 100)


def test_large_custom_options_are_shifted() -> None:
    old = from_bytes(with_options_behind(Build()).bytes())
    new = from_bytes(run_pass(OutsidePass(), old))
    slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
    position = new.subgraph(0).operators[0].table.scalar(slot, "Q")
    assert bytes(new.data[position : position + 4]) == bytes(old.data[8:12])


def test_metadata_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    build = Build()
    main = build.sub("main", "run")
    main.output(main.read(main.handle("v")))
    row, buffer = fb.MetadataT(), fb.BufferT()
    row.name, row.buffer, buffer.data = "debug_metadata", len(build.model.buffers), [1] * 100
    build.model.metadata = [row]
    build.model.buffers.append(buffer)
    monkeypatch.setattr(outside, "_LARGEST_METADATA", 99)
    with pytest.raises(UnsupportedError, match=r"debug_metadata.*at most 99 bytes"):
        run_pass(OutsidePass(), from_bytes(build.bytes()))


@pytest.mark.runs
@pytest.mark.parametrize("freeze", [False, True])
def test_fix_of_a_full_flatbuffer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, freeze: bool
) -> None:
    path = tmp_path / "full.tflite"
    full_flatbuffer(path, 100_000)
    monkeypatch.setattr(splice, "LARGEST_FLATBUFFER", 100_064)
    done = tflrepair.fix(path, sets={"v": 1}, freeze=freeze)
    assert done.out is not None
    assert done.run is not None
    assert done.run.ok
    assert any("Buffer.offset" in note for note in done.notes)
    assert Session(Path(done.out)).run("run")["out0"].tolist() == [8, 8]


def test_what_runtimes_do_not_read_is_said(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flatbuffer that is longer than what is verified of it: never "nothing wrong"."""
    whole = (data / "healthy.tflite").read_bytes()
    limit = len(whole) - 400
    monkeypatch.setattr("tflrepair.structure.words.LARGEST_FLATBUFFER", limit)
    monkeypatch.setattr("tflrepair.structure.verify.LARGEST_FLATBUFFER", limit)
    assert Words(MemorySource(memoryview(whole))).size == limit
    with pytest.raises(TflRepairError) as caught:
        from_bytes(whole).walk()
    assert f"the first {limit} bytes of a flatbuffer" in str(caught.value)
