"""The sample of `tflrepair demo`: a Keras classifier with Adam, broken by the real converter.

Made by tests/makers/small.py with TensorFlow 2.21.0 and Keras 3.15.1: `broken.tflite`, the
`classifier.weights.h5` that its module loaded, and what the Keras model answers (`expected.npz`)
to `input.npz`. `training.npz` is made by tests/data/sample_data.py;
`save_restore.py` is a program for people to read.
"""

from __future__ import annotations

from pathlib import Path

NAMES = (
    "broken.tflite",
    "classifier.weights.h5",
    "input.npz",
    "expected.npz",
    "training.npz",
    "save_restore.py",
)


def copy_to(folder: Path) -> None:
    """Write the sample's files into ``folder``."""
    from importlib.resources import files

    for name in NAMES:
        (folder / name).write_bytes((files(__name__) / name).read_bytes())
