"""python -m makers NAME FOLDER: make one fixture. Run in a process of its own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    importlib.import_module(f"makers.{name}").make(Path(folder))
