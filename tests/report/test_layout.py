"""Text in the width of a terminal: sentences are filled, tables and commands stay whole."""

from __future__ import annotations

import pytest

from tflrepair.checks.registry import all_checks
from tflrepair.commands.explain import explain
from tflrepair.report import layout
from tflrepair.report.style import Style

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
