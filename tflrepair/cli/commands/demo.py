"""tflrepair demo"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tflrepair import samples
from tflrepair.cli.mode import mode
from tflrepair.cli.options import FormatOption
from tflrepair.cli.output import Format, emit, emit_results, style
from tflrepair.leftovers import room, temporary_folder
from tflrepair.processes import children
from tflrepair.samples import copy_to

if TYPE_CHECKING:
    from tflrepair.report.contract.small import StepItem

_MAIN = Path(samples.__file__).parents[1] / "__main__.py"
_TEMPORARY = "temporary"
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
    format: FormatOption = Format.text,
) -> None:
    """Scan, fix and verify the broken sample that ships with tflrepair."""
    json = format is Format.json
    told: list[StepItem] = []
    with temporary_folder() as folder:
        with room():
            copy_to(folder)
            (folder / _TEMPORARY).mkdir()
        for title, arguments, expected in _TRAIN if train else _STEPS:
            if not json:
                emit(style()(f"# {title}", "bold"))
                emit(style()(f"$ {_shown(arguments)}", "cyan"))
                sys.stdout.flush()
            step = _step(title, arguments, expected, folder, catch=json or mode.quiet)
            told.append(step)
            if not json:
                emit(f"(exit code {step['exit_code']})\n")
            if not step["ok"]:
                _tell(told, step["exit_code"] or 2, json)
    if json:
        emit_results(0, told)
    elif train:
        emit("Trained, saved and restored, with nothing but LiteRT.")
    else:
        emit("Repaired: the sample lost every weight in conversion, and has them back.")


def _shown(arguments: tuple[str, ...]) -> str:
    return f"{'python' if arguments[0].endswith('.py') else 'tflrepair'} {' '.join(arguments)}"


def _step(
    title: str, arguments: tuple[str, ...], expected: int, folder: Path, *, catch: bool
) -> StepItem:
    script, *words = arguments
    if not script.endswith(".py"):
        script, words = str(_MAIN), [script, *words]
    # what a step that is killed leaves behind goes with our folder
    environment = {**os.environ, "TMPDIR": str(folder / _TEMPORARY)}
    process = children.start(
        children.command(folder / script, words),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE if catch else None,
    )
    try:
        output, _ = process.communicate()
    finally:
        children.end(process)
    return {
        "ok": process.returncode == expected,
        "title": title,
        "command": _shown(arguments).split(),
        "exit_code": process.returncode,
        "expected": expected,
        "output": (output or b"").decode("utf-8", "backslashreplace"),
    }


def _tell(told: list[StepItem], code: int, json: bool) -> NoReturn:
    """A step did not end as it should."""
    if json:
        emit_results(code, told)
    else:
        emit(f"This step should have ended with {told[-1]['expected']}.")
    raise typer.Exit(code)
