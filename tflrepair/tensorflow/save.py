"""A module saved with its signatures, as a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.tensorflow.convert import first_lines

_TRACKED = "_tflrepair_variables"
_EXPORT = "_export_to_saved_model_graph"  # of Trackable, tensorflow/python/trackable/base.py


def save(module: Any, folder: Path, functions: Mapping[str, Any]) -> None:
    """Save ``module`` with ``functions`` as its signatures. Raises UnsupportedError."""
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures=dict(functions))
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        text = first_lines(error) or type(error).__name__
        raise UnsupportedError(f"TensorFlow cannot save the module: {text}") from error


@contextmanager
def tracked(module: Any, functions: Mapping[str, Any]) -> Iterator[None]:
    """All variables that ``functions`` capture, as an attribute of ``module`` for a while.

    Keras saves each of its variables, too. The second of the two would be called ``bias_1``, so
    each is saved once.
    """
    variables = {id(v): v for function in functions.values() for v in function.variables}
    setattr(module, _TRACKED, list(variables.values()))
    for variable in variables.values():
        setattr(variable, _EXPORT, _once(getattr(variable, _EXPORT)))
    try:
        yield
    finally:
        delattr(module, _TRACKED)
        for variable in variables.values():
            delattr(variable, _EXPORT)


def _once(export: Callable[..., Any]) -> Callable[..., Any]:
    """``export``, which says the same again when it is called again."""
    found: list[Any] = []

    def once(*args: Any, **kwargs: Any) -> Any:
        if not found:
            found.append(export(*args, **kwargs))
        return found[0]

    return once
