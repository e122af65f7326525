"""The sample in a folder of its own, and the command line over it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import warm

RATE = {"adam/learning_rate": "0.001"}


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def cli(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return warm.command_line(*arguments, cwd=folder)
