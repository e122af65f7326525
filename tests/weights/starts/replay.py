"""Repair a model of makers.calls and compare it with eager TensorFlow, call by call."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import warm
from running import Session

import tflrepair

COMMAND = "  tflrepair fix "


def repaired(folder: Path, weights: str, out: Path, **options: Any) -> tflrepair.FixResult:
    return tflrepair.fix(folder / "model.tflite", [folder / weights], out=out, **options)


def furthest(folder: Path, model: Path) -> float:
    """The largest difference to eager TensorFlow over all calls, in one interpreter; relative where
    an answer is larger than 1."""
    session, kept = Session(model), np.load(folder / "calls.npz")
    calls: dict[int, tuple[str, tuple[dict[str, Any], dict[str, Any]]]] = {}
    for key in kept:
        number, name, side, tensor = key.split(":")
        call = calls.setdefault(int(number), (name, ({}, {})))
        call[1][side == "out"][tensor] = kept[key]
    worst = 0.0
    for _, (name, (inputs, expected)) in sorted(calls.items()):
        answers = session.run(name, **inputs)
        for tensor, value in expected.items():
            scale = max(1.0, float(np.abs(value).max()))
            worst = max(worst, float(np.abs(answers[tensor] - value).max()) / scale)
    return worst


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of ours as a person would paste it."""
    words = shlex.split(command)
    assert words[0] == "tflrepair"
    return warm.command_line(*words[1:])


def advised(text: str) -> str:
    """The command that a refusal tells to paste."""
    (command,) = [line for line in text.splitlines() if line.startswith(COMMAND)]
    return command.strip()
