"""A model as a file, which is what runtimes take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tflrepair.graph.model import Model
from tflrepair.leftovers import workspace
from tflrepair.opening import is_file


@contextmanager
def on_disk(model: Model) -> Iterator[Path]:
    """The path of ``model``: its own, or that of a copy, which goes with the block.

    A model that was given as bytes, or that lies inside an archive, has no file of its own.
    """
    if model.path is not None and is_file(model.path):
        yield Path(model.path)
    else:
        with workspace() as folder:
            copy = folder / "model.tflite"
            model.copy_to(copy)
            yield copy
