"""Each check finds what it is for, and nothing in a healthy file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

from tflrepair import scan
from tflrepair.checks.registry import all_checks, explain
from tflrepair.errors import UserError
from tflrepair.graph.model import from_bytes

HALF = b"\x00\x00\x80\x3f" * 2


def codes(build: Build) -> list[str]:
    return [finding.code for finding in scan(from_bytes(build.bytes())).findings]


def unset() -> Build:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.handle("w")))
    return build


def test_healthy_files_have_no_findings(data: Path) -> None:
    for name in ("healthy", "flow", "table", "f16"):
        assert scan(data / f"{name}.tflite").findings == ()


def test_001_002_003_unset(data: Path) -> None:
    assert codes(unset()) == ["TFR001", "TFR002", "TFR003"]


def test_002_names_the_first_operator(sample: Path) -> None:
    result = scan(sample / "broken.tflite")
    found = [f for f in result.findings if f.code == "TFR002"]
    assert [f.location.signature for f in found] == ["infer", "train"]
    place = found[0].location
    operator = result.model.subgraph(place.subgraph or 0).operators[place.operator or 0]
    assert operator.name == "READ_VARIABLE"


def test_003_says_that_reads_inside_called_subgraphs_fail_everywhere() -> None:
    build = Build()
    build.sub("infer", "infer").branch(1, 1, [], [])
    callee = build.sub("callee")
    callee.read(callee.handle("w"))
    found = [f for f in scan(from_bytes(build.bytes())).findings if f.code == "TFR003"]
    assert "the same error" in found[0].message


def test_004_more_bytes_needed_than_there_are() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.handle("w"), (1000, 1000)))
    assert "TFR004" in codes(build)


def test_005_order_dependent(data: Path) -> None:
    found = [f for f in scan(data / "order.tflite").findings if f.code == "TFR005"]
    assert len(found) == 1
    assert "`infer`" in found[0].message
    assert "`load`" in found[0].message


def test_006_call_once_not_everywhere() -> None:
    build = unset()
    other = build.sub("other", "other")
    other.call_once(2)
    init = build.sub("NoOp")
    init.assign(init.handle("w"), init.tensor(data=HALF))
    assert codes(build) == ["TFR002", "TFR003", "TFR006"]


def test_007_one_name_two_shapes() -> None:
    build = unset()
    sub = build.sub("other", "other")
    sub.read(sub.handle("w"), (3,))
    assert "TFR007" in codes(build)


def test_008_two_initializers() -> None:
    build = Build()
    for index, name in enumerate(("infer", "train")):
        sub = build.sub(name, name)
        sub.call_once(2 + index)
        sub.output(sub.read(sub.handle("w")))
    for _ in range(2):
        init = build.sub("NoOp")
        init.assign(init.handle("w"), init.tensor(data=HALF))
    assert codes(build) == ["TFR008", "TFR016"]  # nothing assigns w in `train`


def test_009_empty_table() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    options = fb.HashtableOptionsT()
    options.tableId, options.keyDtype = 7, fb.TensorType.STRING
    options.valueDtype = fb.TensorType.INT64
    handle, out = sub.tensor("RESOURCE", ()), sub.tensor("INT64", (1,))
    sub.op("HASHTABLE", [], [handle], options)
    sub.op("HASHTABLE_SIZE", [handle], [out])
    assert codes(build) == ["TFR009"]


def test_010_unknown_handle() -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    sub.read(sub.input("RESOURCE", ()))
    result = scan(from_bytes(build.bytes()))
    found = [(f.code, f.severity) for f in result.findings]
    assert found == [("TFR010", "warning"), ("TFR013", "error")]


def test_011_initial_value_of_another_size() -> None:
    """Too many bytes; too few are damage (TFR113), which runtimes refuse."""
    build = Build()
    sub = build.sub("infer", "infer")
    sub.call_once(1)
    sub.output(sub.read(sub.handle("w")))
    init = build.sub("NoOp")
    init.assign(init.handle("w"), init.tensor(data=HALF + HALF[:4]))
    assert codes(build) == ["TFR011"]


@pytest.mark.tf
def test_012_checkpoint_names(reported: Path) -> None:
    found = [f for f in scan(reported / "model.tflite").findings if f.code == "TFR012"]
    assert len(found) == 1
    assert "'bias'" in found[0].message


def test_every_check_explains_itself() -> None:
    codes = [check.code for check in all_checks()]
    assert codes == sorted(set(codes))
    assert codes[:12] == [f"TFR{n:03d}" for n in range(1, 13)]
    for check in all_checks():
        text = explain(check.code.lower())
        assert text.startswith(f"{check.code}: ")
        for part in ("What:", "Why it matters:", "Example:", "How it is fixed:"):
            assert part in text, (check.code, part)
        assert re.fullmatch(rf"tflrepair\.checks\.\w+\.{check.code.lower()}_\w+", check.home)


def test_an_unknown_code() -> None:
    with pytest.raises(UserError, match="no check 'TFR999'"):
        explain("TFR999")
