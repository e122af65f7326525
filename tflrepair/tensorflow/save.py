"""A module saved with its signatures, as a SavedModel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.tensorflow.convert import first_lines


def save(module: Any, folder: Path, functions: Mapping[str, Any]) -> None:
    """Save ``module`` with ``functions`` as its signatures. Raises UnsupportedError."""
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures=dict(functions))
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        text = first_lines(error) or type(error).__name__
        raise UnsupportedError(f"TensorFlow cannot save the module: {text}") from error
