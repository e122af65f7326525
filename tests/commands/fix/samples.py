"""The sample in a folder of its own, and the command line over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RATE = {"adam/learning_rate": "0.001"}


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def cli(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tflrepair", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
