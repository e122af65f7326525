"""Text in the width of a terminal: sentences are filled, tables and commands stay whole."""

from __future__ import annotations

import time

import pytest

from tflrepair.checks.registry import all_checks
from tflrepair.commands.explain import explain
from tflrepair.report import layout
from tflrepair.report.style import Style
from tflrepair.report.width import cells, fill

ROW = "  uninitialized  float32  [8]  a/very/long/name/that/goes/on/and/on/and/on/and/on/and/on"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_every_documentation_fits_and_loses_no_word(width: int) -> None:
    for check in all_checks():
        text = explain(check.code)
        lines = layout.paragraphs(text, width)
        assert " ".join(lines).split() == text.split()
        assert all(len(line) <= width for line in lines), check.code


def test_paragraphs_are_filled_and_rows_hang() -> None:
    text = (
        "One two\nthree.\n\n    tf.lite  stops here and\n             goes on\n    TFLM     zeros"
    )
    assert layout.paragraphs(text, 80) == [
        "One two three.",
        "",
        "    tf.lite  stops here and goes on",
        "    TFLM     zeros",
    ]
    assert layout.paragraphs(text, 28)[2:4] == [
        "    tf.lite  stops here and",
        "             goes on",
    ]


def test_code_is_not_torn() -> None:
    text = "put this into the source of the module: `module.raw = [v.value for v in all]` now"
    rows = layout.paragraphs(text, 50)
    assert rows[1] == "`module.raw = [v.value for v in all]` now"


def test_fit_wraps_sentences_only() -> None:
    sentence = "error TFR002  `infer` reads 8 variables before they are set; first 'kernel' of all"
    command = "tflrepair fix a/long/path/to/model.tflite --replace --weights FILE"
    hint = f"    -> put the values back: {command}; or ship a checkpoint with the application"
    first, second, *others = layout.fit("\n".join([sentence, ROW, hint]), 60).split("\n")
    assert len(first) <= 60
    assert second.startswith("  ")
    assert others == [
        ROW,
        "    -> put the values back:",
        f"       {command};",
        "       or ship a checkpoint with the application",
    ]


def test_fit_does_not_count_colours() -> None:
    text = "error TFR002  " + "word " * 13 + "end"
    coloured = Style(True)("error", "red", "bold") + text[5:]
    assert layout.fit(coloured, len(text)) == coloured


def test_names_that_are_wider_than_a_line_are_torn_on_a_terminal_only() -> None:
    assert layout.fit(ROW, 60) == ROW
    first, *others = layout.fit(ROW, 60, tear=True).split("\n")
    assert others and "".join([first, *others]).replace(" ", "") == ROW.replace(" ", "")
    assert all(len(line) <= 60 for line in (first, *others))


@pytest.mark.parametrize(
    "line",
    [
        "      x = {'x': np.random.rand(1, 6, 6).astype('float32'), 'a_long_name': np.zeros(2)}",
        "      np.savez('out.npz', **{'infer/' + k: np.asarray(y[k]) for k in ['output']})",
        "  tflrepair fix broken.tflite --weights net.weights.h5 --learning-rate 1e-4 -o out.tflite",
    ],
)
def test_what_is_pasted_stays_whole(line: str) -> None:
    assert layout.fit(line, 60, tear=True) == line


def test_the_name_of_a_file_stays_whole() -> None:
    name = "/a/folder/with/a/long/name/and/another/folder/inside/of/it/model.tflite"
    assert name in layout.fit(f"written: {name}, 3 MB", 60, tear=True)


def test_wide_characters_take_two_columns() -> None:
    assert cells("模型/a") == 6 and cells(Style(True)("模", "red")) == 2
    assert layout.short("模型模型模型", 7) == "...模型"
    left, right = layout.columns([("模型", "x"), ("abcdef", "y")], 40, 0)
    assert cells(left[: left.index("x")]) == cells(right[: right.index("y")])
    assert all(cells(line) <= 30 for line in layout.wrap("模型 " * 30, "  ", 30))
    assert all(cells(line) <= 20 for line in layout.fit("模型" * 30, 20, True).split("\n"))


def test_a_name_of_a_million_letters_is_torn_in_one_pass() -> None:
    word = "\u5b57" * 1_000_000
    began = time.process_time()
    rows = fill(word, 80, "", "", tear=True)
    assert time.process_time() - began < 8
    assert "".join(rows) == word
    assert {len(row) for row in rows} == {40}
