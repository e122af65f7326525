"""tflrepair demo"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

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


_TRAIN: tuple[tuple[str, tuple[str, ...], int], ...] = (
    (
        "Put the weights back; the learning rate is in no weights file.",
        ("fix", "broken.tflite", "--weights", "classifier.weights.h5",
         "--set", "adam/learning_rate=0.01", "-o", "fixed.tflite"),
        0,
    ),
    (
        "Let the app get and set the weights, without checkpoints and Flex.",
        ("add-state", "fixed.tflite", "-o", "model.tflite"),
        0,
    ),
    (
        "Does it train on a stock LiteRT?",
        ("train", "model.tflite", "--data", "training.npz", "--steps", "150",
         "-o", "trained.tflite"),
        0,
    ),
    (
        "Save the state and restore it in another interpreter.",
        ("save_restore.py", "model.tflite", "training.npz"),
        0,
    ),
)  # fmt: skip


def demo(
    train: Annotated[
        bool, typer.Option("--train", help="repair, train, save and restore the sample instead")
    ] = False,
) -> None:
    """Scan, fix and verify the broken sample that ships with tflrepair."""
    with TemporaryDirectory(prefix="tflrepair-demo-") as folder:
        copy_to(Path(folder))
        for title, arguments, expected in _TRAIN if train else _STEPS:
            script = arguments[0].endswith(".py")
            emit(style()(f"# {title}", "bold"))
            emit(style()(f"$ {'python' if script else 'tflrepair'} {' '.join(arguments)}", "cyan"))
            sys.stdout.flush()
            command = [sys.executable, *([] if script else ["-m", "tflrepair"]), *arguments]
            code = subprocess.run(command, cwd=folder, check=False).returncode
            emit(f"(exit code {code})\n")
            if code != expected:
                emit(f"This step should have ended with {expected}.")
                raise typer.Exit(code or 2)
    if train:
        emit("Trained, saved and restored, with nothing but LiteRT.")
    else:
        emit("Repaired: the sample lost every weight in conversion, and has them back.")
