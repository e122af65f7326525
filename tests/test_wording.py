"""Numbers with what they count, and sizes."""

from __future__ import annotations

import pytest

from tflrepair.errors import BadFileError, masked
from tflrepair.wording import megabytes, plural, share


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(0, "0 variables"), (1, "1 variable"), (2, "2 variables"), (3435, "3,435 variables")],
)
def test_one_is_one(number: int, wanted: str) -> None:
    assert plural(number, "variable") == wanted


def test_a_verb_goes_along() -> None:
    assert plural(1, "entry has", "entries have") == "1 entry has"
    assert plural(2, "entry has", "entries have") == "2 entries have"
    assert share(1, 22, "variable", "has", "have") == "1 of 22 variables has"
    assert share(1, 1, "variable", "has", "have") == "1 of 1 variable has"
    assert share(2, 22, "variable", "has", "have") == "2 of 22 variables have"


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"),  # not 1000.0 KB
        (29_700_000, "29.7 MB"),
        (3 * 10**12, "3,000.0 GB"),
        (10**40, "more than 1,000,000 TB"),
    ],
)
def test_sizes(number: int, wanted: str) -> None:
    assert megabytes(number) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("at https://bob:p@ss@host/m.tflite (404)", "at https://***@host/m.tflite (404)"),
        ("s3://token@bucket/m.tflite", "s3://***@bucket/m.tflite"),
        (
            "https://host/m?v=3&X-Amz-Signature=ab12&X-Amz-Credential=me&y=1",
            "https://host/m?v=3&X-Amz-Signature=***&X-Amz-Credential=***&y=1",
        ),
        ("'https://h/m?sig=a%2Bb', and more", "'https://h/m?sig=***', and more"),
        ("https://host/a@b/m.tflite?v=3", "https://host/a@b/m.tflite?v=3"),
        ("me@host.org is no address", "me@host.org is no address"),
    ],
)
def test_passwords_are_not_shown(text: str, wanted: str) -> None:
    assert masked(text) == masked(wanted) == wanted
    error = BadFileError(text, where=text, hint=text).within(text)
    assert (error.message, error.where, error.hint) == (wanted, wanted, wanted)
    assert str(error).count(wanted) == 3 == str(error).count(wanted[:8])
