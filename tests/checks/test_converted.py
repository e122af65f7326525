"""Checks on what the real converter writes: a model with the fault, and its twin without.

Tried with the converter of TensorFlow 2.21, without result:

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

CODES = ("TFR009", "TFR015", "TFR016", "TFR018", "TFR020", "TFR021", "TFR025", "TFR031")


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
