"""tflrepair demo"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from tflrepair.cli.output import emit, style
from tflrepair.samples import copy_to

_STEPS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("What is wrong with it?", ("scan", "broken.tflite"), 1),
    (
        "Put the weights back.",
        ("fix", "broken.tflite", "--weights", "classifier.weights.h5",
         "--set", "adam/learning_rate=0.001", "-o", "fixed.tflite"),
        0,
    ),
    ("Does it run now?", ("scan", "fixed.tflite"), 0),
    (
        "Do its outputs match those of the Keras model?",
        ("verify", "fixed.tflite", "--signature", "infer", "--inputs", "input.npz",
         "--expect", "expected.npz"),
        0,
    ),
)  # fmt: skip


def demo() -> None:
    """Scan, fix and verify the broken sample that ships with tflrepair."""
    with TemporaryDirectory(prefix="tflrepair-demo-") as folder:
        copy_to(Path(folder))
        for title, arguments, expected in _STEPS:
            emit(style()(f"# {title}", "bold"))
            emit(style()(f"$ tflrepair {' '.join(arguments)}", "cyan"))
            sys.stdout.flush()
            command = [sys.executable, "-m", "tflrepair", *arguments]
            code = subprocess.run(command, cwd=folder, check=False).returncode
            emit(f"(exit code {code})\n")
            if code != expected:
                emit(f"This step should have ended with {expected}.")
                raise typer.Exit(code or 2)
    emit("Repaired: the sample lost every weight in conversion, and has them back.")
