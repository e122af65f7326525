"""An error in a log or a notebook: its kind, its place, its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflrepair import errors, scan
from tflrepair.errors import ErrorCode, TflRepairError


def test_repr_names_the_file_and_the_code(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(TflRepairError) as caught:
        scan(path)
    text = repr(caught.value)
    assert type(caught.value).__name__ in text
    assert str(path) in text and f"code={caught.value.code.value!r}" in text


def test_repr_has_what_there_is() -> None:
    error = errors.UserError("no such name", where="m.tflite, subgraph 2", hint="`tflrepair show`")
    assert repr(error) == (
        "UserError('no such name', where='m.tflite, subgraph 2', hint='`tflrepair show`', "
        "code='usage')"
    )
    assert repr(errors.UndecidedError("two fit")) == "UndecidedError('two fit', code='undecided')"


def test_every_kind_has_a_code_of_its_own() -> None:
    kinds = [
        k for k in vars(errors).values() if isinstance(k, type) and k.__module__ == errors.__name__
    ]
    codes = [kind.code for kind in kinds if issubclass(kind, TflRepairError)]
    assert len(codes) == len(set(codes)) == len(ErrorCode) - 1  # DamagedError is the verifier's
