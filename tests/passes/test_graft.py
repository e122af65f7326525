"""The graft on built and on real files: what it adds, what it leaves alone, that it runs."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build, with_options_behind
from injector import initial_values, rob
from running import Session

import tflrepair
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format import schema, splice
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import (
    GraftPlan,
    NewValue,
    check_graftable,
    missing_calls,
    needing_values,
)

HALF = np.array([0.5, 0.25], np.float32)


def parts(value: Any) -> list[bytes]:
    return [value.tobytes()]


def plan_for(model: Model, value: Any = HALF) -> GraftPlan:
    analysis = analyse(model)
    values = tuple(
        NewValue(v.key, v.dtype or "", v.shape or (), v.nbytes or 0, "test", partial(parts, value))
        for v in needing_values(analysis)
    )
    entries = tuple(entry.subgraph for entry in analysis.entries)
    return GraftPlan(entries, values, missing_calls(analysis))


def grafted(data: bytes, value: Any = HALF) -> bytes:
    model = from_bytes(data)
    stream = io.BytesIO()
    new = graft(model, plan_for(model, value))
    new.write(stream)
    assert len(stream.getvalue()) == new.size
    return stream.getvalue()


def reader(extra: int = 0) -> Build:
    """`infer` gives w (and `extra` more variables); `set` assigns w."""
    build = Build()
    sub = build.sub("infer", "infer")
    for name in ["w", *(f"v{i}" for i in range(extra))]:
        sub.output(sub.read(sub.handle(name)))
    setter = build.sub("set", "set")
    value = setter.input()
    setter.assign(setter.handle("w"), value)
    setter.output(value)
    return build


def test_changes() -> None:
    old = reader().bytes()
    new = grafted(old)
    model = from_bytes(new)
    assert new.endswith(old)
    assert (len(new) - len(old)) % splice.ALIGNMENT == 0
    assert len(model.subgraphs) == 3
    assert model.subgraphs[2].name == "tflrepair_initializer"
    for index in (0, 1):
        operators = model.subgraphs[index].operators
        assert [o.name for o in operators].count("CALL_ONCE") == 1
        assert operators[0].name == "CALL_ONCE"
    assert {v.status for v in analyse(model).variables} == {"initialized"}
    assert Session(new).run("infer")["out0"].tolist() == [0.5, 0.25]


def test_changes_nothing_when_nothing_is_missing() -> None:
    new = grafted(reader().bytes())
    plan = plan_for(from_bytes(new))
    assert not plan.changes


def test_what_is_assigned_survives_the_first_call_of_another_signature() -> None:
    session = Session(grafted(reader().bytes()))
    session.run("set", in0=np.array([7, 8], np.float32))
    assert session.run("infer")["out0"].tolist() == [7, 8]


@pytest.mark.parametrize("delegate", [True, False])
def test_values_behind_the_flatbuffer(monkeypatch: pytest.MonkeyPatch, delegate: bool) -> None:
    """What happens beyond 2 GiB, tried with a lower limit."""
    old = reader(extra=3).bytes()
    monkeypatch.setattr(splice, "LARGEST_FLATBUFFER", len(old) + 4096)
    new = grafted(old)
    model = from_bytes(new)
    outside = [b for b in model.buffers if b.outside]
    assert len(outside) == 4
    assert all(b.start >= new.index(old) + len(old) for b in outside)
    assert all(b.start % 16 == 0 for b in outside)
    assert Session(new, delegate).run("infer")["out3"].tolist() == [0.5, 0.25]


def test_positions_behind_the_flatbuffer_are_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graft a file whose own values already stand behind its flatbuffer."""
    with monkeypatch.context() as patch:
        build = reader()
        sub = build.sub("more", "more")
        sub.output(sub.read(sub.handle("w")))
        patch.setattr(splice, "LARGEST_FLATBUFFER", len(build.bytes()) + 4096)
        old = grafted(build.bytes())
    model = from_bytes(old)
    # one more variable without a value: cut the plan to what is new
    key = ResourceId("builtin", "", "v")
    value = NewValue(key, "float32", (2,), 8, "test", partial(parts, HALF))
    stream = io.BytesIO()
    graft(model, GraftPlan((0,), (value,), ())).write(stream)
    new = stream.getvalue()
    assert new.endswith(old)
    assert Session(new).run("more")["out0"].tolist() == [0.5, 0.25]


def test_large_custom_options_are_shifted() -> None:
    """Operator.large_custom_options_offset is a position in the file, too."""
    old = with_options_behind(reader()).bytes()
    new = from_bytes(grafted(old))
    slot = schema.Operator.LARGE_CUSTOM_OPTIONS_OFFSET
    (found,) = [o for o in new.subgraphs[2].operators if o.name == "MyOp"]
    position = found.table.scalar(slot, "Q")
    assert bytes(new.data[position : position + 4]) == old[8:12]


def test_an_appended_zip_still_opens() -> None:
    old = io.BytesIO(reader().bytes())
    old.seek(0, io.SEEK_END)
    with zipfile.ZipFile(old, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
        archive.writestr("more.txt", "x" * 100)
    new = grafted(old.getvalue())
    with zipfile.ZipFile(io.BytesIO(new)) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt") == b"cat\ndog\n"
        positions = [info.header_offset for info in archive.infolist()]
        # Python finds a shift by itself; that there is none left shows that we wrote it
        assert all(new[p : p + 4] == b"PK\x03\x04" for p in positions)
        assert int.from_bytes(new[-6:-2], "little") == archive.start_dir
    assert Session(new).run("infer")["out0"].tolist() == [0.5, 0.25]


def test_a_field_newer_than_our_schema_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Model table with an eleventh field, as a later schema may have it."""
    known = len(schema.LAYOUT["Model"])

    def end(builder: Any) -> Any:
        builder.PrependUint32Slot(known, 7, 0)
        return builder.EndObject()

    monkeypatch.setattr(fb, "ModelStart", lambda builder: builder.StartObject(known + 1))
    monkeypatch.setattr(fb, "ModelEnd", end)
    with pytest.raises(UnsupportedError, match="newer than this tflrepair"):
        grafted(reader().bytes())


def test_a_missing_call_needs_no_values() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(2)
    sub.output(sub.read(sub.handle("w")))
    other = build.sub("other", "other")
    other.output(other.read(other.handle("w")))
    init = build.sub("NoOp")
    init.assign(init.handle("w"), init.tensor(data=HALF.tobytes()))
    old = build.bytes()
    new = grafted(old)
    assert len(from_bytes(new).subgraphs) == 3
    assert Session(new, delegate=False).run("other")["out0"].tolist() == [0.5, 0.25]


@pytest.mark.runs
def test_what_has_an_initializer_keeps_it(data: Path, tmp_path: Path) -> None:
    """A Keras layer beside a plain variable: one keeps its CALL_ONCE, the others get one."""
    out = tmp_path / "o.tflite"
    result = tflrepair.fix(data / "partial.tflite", [data / "partial.npz"], out=out)
    assert result.plan is not None
    assert [v.key.shared_name for v in result.plan.values] == [
        "sequential/dense/bias",
        "sequential/dense/kernel",
    ]
    assert result.after is not None
    calls = {entry.label: entry.calls_once for entry in result.after.analysis.entries}
    assert [target for _, target in calls["infer"]] == [2, 1]
    values = np.load(data / "partial.npz")
    x = np.array([[1, 2, 3, 4]], np.float32)
    answer = Session(out).run("infer", x=x)["output"]
    kernel, bias = values["sequential/dense/kernel"], values["sequential/dense/bias"]
    np.testing.assert_allclose(answer, (x @ kernel + bias) * [[1, 2, 3]], rtol=1e-5)


def test_two_variables_under_one_name_are_refused() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    handle = sub.handle("w")
    sub.read(handle, (2,))
    sub.read(handle, (3,))
    model = from_bytes(build.bytes())
    with pytest.raises(RefusedError, match="share the name 'w'"):
        check_graftable(model, analyse(model))


def test_operator_positions_in_metadata_are_not_broken() -> None:
    build = reader()
    row = fb.MetadataT()
    row.name, row.buffer = "model_control_dependencies", len(build.model.buffers)
    buffer = fb.BufferT()
    buffer.data = [1, 2, 3]
    build.model.buffers.append(buffer)
    build.model.metadata = [row]
    model = from_bytes(build.bytes())
    with pytest.raises(UnsupportedError, match="model_control_dependencies"):
        check_graftable(model, analyse(model))


def test_a_value_of_the_wrong_length_is_not_written() -> None:
    model = from_bytes(reader().bytes())
    plan = plan_for(model, np.zeros(3, np.float32))
    with pytest.raises(RefusedError, match="gave 12 bytes"):
        graft(model, plan).write(io.BytesIO())


@pytest.mark.runs
@pytest.mark.parametrize("name", ["healthy", "flow", "table", "f16"])
def test_a_robbed_file_gets_its_own_values_back(data: Path, tmp_path: Path, name: str) -> None:
    """Healthy converter output, robbed and grafted, answers bit for bit as before."""
    healthy = (data / f"{name}.tflite").read_bytes()
    robbed = tmp_path / "robbed.tflite"
    robbed.write_bytes(rob(healthy))
    initial_values(healthy, tmp_path / "values.npz")
    if name == "table":
        with pytest.raises(UnsupportedError, match="hash table"):
            tflrepair.fix(robbed, [tmp_path / "values.npz"])
        return
    result = tflrepair.fix(robbed, [tmp_path / "values.npz"])
    assert result.out == str(tmp_path / "robbed.fixed.tflite")
    for delegate in (True, False):
        ours, theirs = Session(Path(result.out), delegate), Session(healthy, delegate)
        rng = np.random.default_rng(3)
        for step in range(4):
            x = rng.normal(0, 1, (1, 4)).astype(np.float32)
            calls: list[tuple[str, dict[str, Any]]] = [("infer", {"x": x})]
            if name in ("healthy", "f16") and step:
                y = rng.normal(0, 1, (1, 3)).astype(np.float32)
                calls.insert(0, ("train", {"x": x, "y": y}))
            for signature, inputs in calls:
                mine, wanted = ours.run(signature, **inputs), theirs.run(signature, **inputs)
                for key in wanted:
                    assert mine[key].tobytes() == wanted[key].tobytes(), (signature, key)
