"""Checks on what the real converter writes: a model with the fault, and its twin without."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import made

from tflrepair import scan

pytestmark = pytest.mark.tf

CODES = ("TFR016", "TFR018", "TFR020", "TFR021", "TFR025", "TFR031")


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
