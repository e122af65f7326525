"""What a terminal gets: folded lines, no colour where none is understood, a clock for each step."""

from __future__ import annotations

import sys
from io import StringIO

import pytest
from rich.console import Console
from rich.progress import Progress

from tflrepair.cli import output
from tflrepair.report.layout import fit
from tflrepair.report.style import table

ROWS = [("name", "a value that takes a lot of room " * 3), ("x", "short")]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [40, 60, 80])
def test_tables_and_lines_fold(width: int) -> None:
    lines = table(ROWS, width=width)
    assert max(map(len, lines)) <= width and len(lines) > len(ROWS)
    text = fit("    -> " + "word " * 60, width)
    first, *rest = text.split("\n")
    assert max(map(len, text.split("\n"))) <= width
    assert rest and all(line.startswith(" " * 7) for line in rest) and first.startswith("    ->")


def test_nothing_folds_without_a_width() -> None:
    assert len(table(ROWS)) == len(ROWS)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert (output.style().colour, output.style().width) == (False, None)
    monkeypatch.setenv("TERM", "xterm")
    assert output.style().colour and output.style().width


def test_each_step_has_one_task_and_a_clock_of_its_own() -> None:
    now = [0.0]
    console = Console(file=StringIO(), force_terminal=True)
    bar = Progress(console=console, get_time=lambda: now[0], auto_refresh=False)
    steps = output._Bar(bar, "fixing")
    steps.advance("writing", 5, 5)
    now[0] = 7.0
    steps.advance("reworking the graph", 0, 0)
    now[0] = 10.0
    steps.advance("reworking the graph", 0, 0)
    (task,) = bar.tasks
    assert (task.description, task.total, task.finished) == ("reworking the graph", None, False)
    assert task.elapsed == 3.0
