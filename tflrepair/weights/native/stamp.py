"""Whether a file is still the one that was opened."""

from __future__ import annotations

from pathlib import Path


def stamp(path: Path) -> list[int]:
    """Which file it is, and which state of it: a file that is written anew gets another stamp."""
    facts = path.stat()
    return [facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns]
