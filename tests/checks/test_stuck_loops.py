"""TFR033 and TFR034: loops whose condition cannot change, which nobody waits for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from build import Build, Sub

import tflrepair
from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import endless_loop
from tflrepair.errors import UnsupportedError
from tflrepair.graph.model import from_bytes

TRUE, FALSE = b"\x01", b"\x00"
ONE = b"\0\0\x80\x3f" * 2


def looping(condition: str, *, counts: bool = True, value: bytes = TRUE) -> Build:
    """A loop over (counter, data), with a condition of some kind."""
    build = Build()
    main = build.sub("main", "run")
    start, data = main.input("INT32", (1,)), main.input()
    outs = [main.tensor("INT32", (1,)), main.tensor()]
    main.loop(1, 2, [start, data], outs)
    for out in outs:
        main.output(out)
    ask = build.sub("condition")
    counter = ask.input("INT32", (1,))
    ask.input()
    _condition(ask, counter, condition, value)
    body = build.sub("body")
    counter, data = body.input("INT32", (1,)), body.input()
    one = body.tensor("INT32", (1,), b"\1\0\0\0")
    more, twice = body.tensor("INT32", (1,)), body.tensor()
    body.op("ADD", [counter, one], [more])
    body.op("ADD", [data, data], [twice])
    body.output(more if counts else counter)
    body.output(twice)
    return build


def _condition(ask: Sub, counter: int, kind: str, value: bytes) -> None:
    if kind == "constant":
        ask.output(ask.tensor("BOOL", (1,), value))
        return
    ten, out = ask.tensor("INT32", (1,), b"\x0a\0\0\0"), ask.tensor("BOOL", (1,))
    if kind == "random":
        drawn, shape = ask.tensor(shape=(1,)), ask.tensor("INT32", (1,), b"\1\0\0\0")
        ask.op("RANDOM_UNIFORM", [shape], [drawn])
        ask.op("CAST", [drawn], [out])
    elif kind == "constants":
        ask.op("LESS", [ten, ten], [out])
    else:
        ask.op("LESS", [counter, ten], [out])
    ask.output(out)


def codes(build: Build) -> list[str]:
    result = tflrepair.scan(build.bytes(), select=["TFR033", "TFR034"])
    return [finding.code for finding in result.findings]


def test_a_constant_condition_is_an_error_with_its_place() -> None:
    result = tflrepair.scan(looping("constant").bytes(), select=["TFR033"])
    (found,) = result.findings
    assert not result.ok and "operator 0 (WHILE) of subgraph 0 never ends" in found.message
    assert (found.location.subgraph, found.location.operator) == (0, 0)


@pytest.mark.parametrize(
    ("condition", "counts", "wanted"),
    [
        ("counter", True, []),
        ("counter", False, ["TFR034"]),
        ("random", False, []),
        ("constants", False, []),
    ],
)
def test_what_the_body_does_not_change(condition: str, counts: bool, wanted: list[str]) -> None:
    assert codes(looping(condition, counts=counts)) == wanted


def test_a_loop_that_is_never_entered_is_none() -> None:
    assert codes(looping("constant", value=FALSE)) == []


def test_whether_a_run_always_comes_to_it() -> None:
    """Through calls, but not through a branch that may not be taken."""
    build = looping("constant")
    for name, kind in (("calls", "call"), ("may", "branch")):
        sub = build.sub(name, name)
        x, y = sub.input("INT32", (1,)), sub.input()
        outs = [sub.tensor("INT32", (1,)), sub.tensor()]
        if kind == "call":
            sub.call(0, [x, y], outs)
        else:
            sub.branch(0, 2, [x, y], outs)
        for out in outs:
            sub.output(out)
    context = AnalysisContext(from_bytes(build.bytes()))
    assert endless_loop(context, 0) and endless_loop(context, 3)
    assert not endless_loop(context, 4) and not endless_loop(context, 2)


@pytest.mark.runs
def test_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(looping("constant").bytes())
    report = tflrepair.verify(path)
    (found,) = {finding for run in report.runs for finding in run.findings}
    assert found.code == "timeout" and "not run: operator 0 (WHILE)" in found.message
    assert report.exit_code == 1
    with pytest.raises(UnsupportedError, match="never ends"):
        tflrepair.diff(path, path, run=True)


@pytest.mark.runs
def test_train_refuses_it(tmp_path: Path) -> None:
    build = looping("constant")
    train = build.sub("train", "train")
    train.input(shape=(8, 2))
    train.call_once(4)
    counter = train.tensor("INT32", (1,), b"\0\0\0\0")
    data = train.tensor(data=ONE)
    outs = [train.tensor("INT32", (1,)), train.tensor()]
    train.loop(1, 2, [counter, data], outs)
    train.assign(train.handle("v"), outs[1])
    train.output(outs[1])
    start = build.sub("start")
    start.assign(start.handle("v"), start.tensor(data=ONE))
    path = tmp_path / "m.tflite"
    path.write_bytes(build.bytes())
    batch = {"in0": np.zeros((8, 2), np.float32)}
    with pytest.raises(UnsupportedError, match="never ends: operator 1"):
        tflrepair.train(path, batch, signature="train", loss="out0", steps=1)
