"""Checks on what the real converter writes: a model with the fault, and its twin without.

Tried with the converter of TensorFlow 2.21, without result (test_changed.py has what it takes):

TFR006  `signature_keys` with some signatures only, and signatures that read no variable: every
        function that is exported gets the CALL_ONCE.
TFR008  two tables and a variable, each with an initializer: the converter joins them in one.
TFR011  an initial value is written from the variable's own tensor, so that its size is right.
TFR017  the initializer is a function of the saver's, which takes and gives nothing.
TFR023  8 bits by the old and the new quantizers, float16, sparsity: no buffer is left behind.

TFR007  two variables of one shared name, made by VarHandleOp in the function: the converter stops
        with "Failed to prepare to mark initialized variables".
TFR013  a MutableHashTable: with Flex it keeps the operator that makes the table, and without Flex
        the converter stops ("neither a custom op nor a flex op").
TFR024  a read, a random number, a loop and a branch that nothing uses: all of them are removed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import made

from tflrepair import scan

pytestmark = pytest.mark.tf

CODES = (
    "TFR009", "TFR010", "TFR014", "TFR015", "TFR016", "TFR018", "TFR020", "TFR021", "TFR025",
    "TFR030", "TFR031",
)  # fmt: skip


@pytest.fixture(scope="module")
def pairs() -> Path:
    return made("checks")


@pytest.mark.parametrize("code", CODES)
def test_found_and_sound(pairs: Path, code: str) -> None:
    """TFR026 says only that saving and restoring take Flex."""
    found = {f.code for f in scan(pairs / code / "found.tflite", values=True).findings}
    sound = {f.code for f in scan(pairs / code / "sound.tflite", values=True).findings}
    assert found - {"TFR026"} == {code}
    assert sound <= {"TFR026"}
