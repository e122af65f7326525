"""`rebuild` refuses what `fix` refuses, takes the same options, and says what is not proven."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_evidence import EVIDENCE, rates
from weights.starts.replay import advised, shell

pytestmark = [pytest.mark.tf, pytest.mark.runs]
CASE, FILE = "auxiliary_head", "donor.keras"


def given(case: str, file: str) -> str:
    model, source = EVIDENCE / case / "model.tflite", EVIDENCE / case / file
    options = " --learning-rate 0.001" if rates(case) else ""
    return f"{model} --weights {source}{options}"


def test_a_refusal_names_the_option_and_the_result_is_not_called_proven(tmp_path: Path) -> None:
    out = tmp_path / "module.py"
    refused = shell(f"tflrepair rebuild {given(CASE, FILE)} --emit-python {out}")
    assert refused.returncode == 2
    assert not out.exists()
    command = advised(refused.stderr, "rebuild")
    assert command.endswith("--accept unused-layer")
    done = shell(command)
    assert done.returncode == 1, done.stderr
    assert "rest on --accept unused-layer" in done.stdout
    told = json.loads(shell(f"{command} --force --format json").stdout)["results"][0]
    assert told["ok"] is False
    assert len(told["unproven"]) == len(told["accepted"]["unused-layer"]) == 2


def test_what_rests_on_running_numbers_is_said(tmp_path: Path) -> None:
    case, file = "attributes_of_the_same_program", "donor.weights.h5"
    model, source = EVIDENCE / case / "model.tflite", EVIDENCE / case / file
    out = tmp_path / "module.py"
    done = shell(f"tflrepair rebuild {model} --weights {source} --emit-python {out}")
    assert done.returncode == 1, done.stderr
    assert "6 variables rest on the numbers in layer names alone" in done.stdout


def test_options_that_only_fix_has_are_used_first(tmp_path: Path) -> None:
    """The advice, followed: repair the model with --check, then rebuild what that wrote."""
    case, file = "attributes_in_another_order", "donor.keras"
    out, fixed = tmp_path / "module.py", tmp_path / "fixed.tflite"
    refused = shell(f"tflrepair rebuild {given(case, file)} --emit-python {out}")
    assert refused.returncode == 2
    assert "--check in.npz out.npz" in refused.stderr
    assert "repair the model with it, then rebuild what it wrote" in refused.stderr
    both = np.load(EVIDENCE / case / "io.npz")
    np.savez(tmp_path / "in.npz", x=both["x"])
    np.savez(tmp_path / "out.npz", y=both["y"])
    check = f"--check {tmp_path / 'in.npz'} {tmp_path / 'out.npz'}"
    repaired = shell(f"tflrepair fix {given(case, file)} {check} -o {fixed}")
    assert repaired.returncode == 0, repaired.stderr
    done = shell(f"tflrepair rebuild {fixed} --emit-python {out}")
    assert done.returncode == 0, done.stderr
    assert out.exists()
