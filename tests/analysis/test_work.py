"""Work that grows with the size of a file and not with its square: counted, not timed."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from build import Build

from tflrepair.analysis.context import AnalysisContext
from tflrepair.commands.extract.weights import _Found
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.compact.needed import needed
from tflrepair.passes.freeze.freeze import check_frozen, freeze
from tflrepair.passes.freeze.plan import FrozenRead, plan_freeze
from tflrepair.passes.freeze.write import rewrite
from tflrepair.report import width

_FEW = 60


def _lines(work: Callable[[], object]) -> int:
    """The lines of Python that ``work`` runs."""
    count = 0

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _doubled(count: Callable[[int], int], size: int = _FEW) -> float:
    return count(2 * size) / count(size)


def _constants(size: int, name: Callable[[int], str]) -> Model:
    """``size`` constants, each of which one operator adds."""
    build = Build()
    sub = build.sub("main", "run")
    x = sub.input()
    for number in range(size):
        out, constant = sub.tensor(), sub.tensor(data=number.to_bytes(8, "little"))
        sub.op("ADD", [x, constant], [out])
        sub.table.tensors[constant].name = name(number)
        sub.output(out)
    return from_bytes(build.bytes())


@pytest.mark.parametrize("name", [lambda n: "same", lambda n: "same" + "#2" * (n % 2)])
def test_constants_of_one_name_are_numbered_in_one_pass(name: Callable[[int], str]) -> None:
    def collected(size: int) -> int:
        found = _Found(AnalysisContext(_constants(size, name)))
        work = _lines(found.constants)
        assert len(found.rows) == size
        return work

    assert _doubled(collected, 300) < 2.2


@pytest.mark.parametrize("apart", [False, True])
def test_a_freeze_looks_at_each_read_some_few_times(
    apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in one subgraph, or each in one of its own; float16, so that DEQUANTIZE takes over."""
    seen = 0
    plain = FrozenRead.__getattribute__

    def looked(row: FrozenRead, name: str) -> object:
        nonlocal seen
        seen += 1
        return plain(row, name)

    def looks(size: int) -> int:
        nonlocal seen
        context = AnalysisContext(from_bytes(_halves(size, apart)))
        result = freeze(context)
        assert len(result.plan.constants) == size and result.file is not None
        seen = 0
        stream = io.BytesIO()
        rewrite(context.model, result.plan).write(stream)
        after = AnalysisContext(from_bytes(stream.getvalue()))
        check_frozen(context.model, result.plan, after)
        return seen

    monkeypatch.setattr(FrozenRead, "__getattribute__", looked)
    assert _doubled(looks) < 2.2


@pytest.mark.parametrize("sets", [False, True])
def test_a_plan_to_freeze_takes_lines_by_the_number_of_variables(sets: bool) -> None:
    """Variables that begin as float16, or that as many signatures set."""

    def lines(size: int) -> int:
        context = AnalysisContext(from_bytes(_set(size) if sets else _halves(size, False)))
        context.analysis  # noqa: B018  # found before
        return _lines(lambda: plan_freeze(context))

    assert _doubled(lines) < 2.2


def _set(size: int) -> bytes:
    """``size`` variables, each of which a signature of its own sets and reads."""
    build = Build()
    for number in range(size):
        sub = build.sub(f"s{number}", f"s{number}")
        handle = sub.handle(f"v{number}")
        sub.assign(handle, sub.input())
        sub.output(sub.read(handle))
    return build.bytes()


def _halves(size: int, apart: bool) -> bytes:
    """``size`` variables that begin as float16, read in one subgraph or in one each."""
    build = Build()
    main = build.sub("main", "run")
    start = build.sub("start")
    main.call_once(1)
    sub = main
    for number in range(size):
        half, value = start.tensor("FLOAT16", data=bytes(4)), start.tensor()
        start.op("DEQUANTIZE", [half], [value])
        start.assign(start.handle(f"v{number}"), value)
        if apart:
            sub = build.sub(f"s{number}")
            main.call(number + 2)
        out = sub.tensor()
        sub.op("NEG", [sub.read(sub.handle(f"v{number}"))], [out])
        main.output(main.input()) if apart else main.output(out)
    return build.bytes()


@pytest.mark.parametrize("letter", ["a", "\u5b57", "\u0301", "a-\u0301"])
def test_a_long_name_is_measured_once(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that are handed to be measured, whether it is torn into lines or cut short."""
    measured = 0
    plain = width.cells

    def cells(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return plain(text)

    def letters(size: int) -> int:
        nonlocal measured
        measured = 0
        word = letter * size
        assert "".join(width.fill(word, 80, "", "", tear=True)) == word
        assert word.endswith(width.end(word, 80))
        return measured + _lines(lambda: width.end(word, 80))

    monkeypatch.setattr(width, "cells", cells)
    assert _doubled(letters, 5000) < 2.2


def test_a_loop_that_hands_its_values_on_by_one_is_judged_in_few_rounds() -> None:
    """Each round over the whole model found one more value that is used."""

    def lines(size: int) -> int:
        model = from_bytes(_shifting(size))
        return _lines(lambda: needed(model))

    assert _doubled(lines, 150) < 2.3


def _shifting(size: int) -> bytes:
    build = Build()
    main, condition, body = (build.sub(name) for name in ("main", "condition", "body"))
    inputs, outputs = ([make() for _ in range(size)] for make in (main.input, main.tensor))
    main.loop(1, 2, inputs, outputs)
    main.output(outputs[0])
    for _ in range(size):
        condition.input()
    condition.output(condition.tensor("BOOL", (), b"\0"))
    handed = [body.input() for _ in range(size)]
    body.table.outputs = handed[1:] + handed[:1]
    return build.bytes()
