"""Keras models of any generation and kind: what they take, and the call that is converted."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError, UserError
from tflrepair.opening import is_file
from tflrepair.tensorflow.convert import first_lines

_ROOTS = ("keras", "tf_keras", "tensorflow")
_BUILD = "call it once on a sample, or model.build(shape), or give signatures"


def is_keras_model(source: Any) -> bool:
    """Sequential, functional or subclassed, of Keras 2 or 3; only Keras 2's are tf.Modules."""
    return any(
        kind.__name__ == "Model" and kind.__module__.split(".")[0] in _ROOTS
        for kind in type(source).__mro__
    )


def load(path: Path) -> Any:
    """The model in a ``.keras`` file or a whole-model ``.h5``.

    Raises:
        BadFileError: there is no such file.
        UserError: it holds weights only.
        UnsupportedError: Keras cannot load it, for want of a class that it was made with, say.
    """
    import keras

    if not is_file(path):
        raise BadFileError("there is no such file", where=str(path))
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises anything, also out of the file's own layers
        text = first_lines(error).partition(" Full object config")[0]  # a page of JSON
        if "No model config" in text:
            raise UserError(
                "the file has the weights of a model, but not the model itself",
                where=str(path),
                hint="make the model in Python and load the weights into it, then "
                "tflrepair.convert(model), or model.save('x.keras')",
            ) from error
        raise UnsupportedError(
            f"Keras cannot load the model: {text or type(error).__name__}",
            where=str(path),
            hint="load it in Python with what it needs (custom_objects), then "
            "tflrepair.convert(model)",
        ) from error


def serving(model: Any) -> Any:
    """The model's call in inference mode as a tf.function, with the shapes that it was built for.

    Raises:
        UserError: the model was never called, so it has no variables and no shapes.
    """
    import tensorflow as tf

    names, structure = _inputs(model)
    specs = tf.nest.flatten(structure)

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def serving_default(*inputs: Any) -> Any:
        given = tf.nest.pack_sequence_as(structure, inputs)
        if names:
            answer = model(**dict(zip(names, given, strict=True)), training=False)
        else:
            answer = model(given[0] if len(given) == 1 else given, training=False)
        flat = tf.nest.flatten(answer)
        keys = getattr(model, "output_names", None) or []
        if len(keys) != len(flat):
            keys = [f"output_{i}" for i in range(len(flat))]
        return dict(zip(keys, flat, strict=True))

    return serving_default


def _inputs(model: Any) -> tuple[list[str], list[Any]]:
    """(names of the arguments of ``call``, or [] for positions; what each takes, as specs)."""
    import tensorflow as tf

    inputs = _or_none(lambda: model.inputs)
    if inputs:
        specs = [tf.TensorSpec(x.shape, x.dtype, name=x.name.split(":")[0]) for x in inputs]
        return [], specs
    if not getattr(model, "built", False):
        raise UserError("the Keras model was never called, so it is not built", hint=_BUILD)
    if hasattr(model, "save_spec"):  # Keras 2
        spec = model.save_spec()
        if spec is not None and not spec[1]:
            return [], list(spec[0])
    # what the arguments of ``build`` were; a ``build`` of its own may take those of all inputs
    found = dict(getattr(model, "_build_shapes_dict", None) or {})
    if not found or len(found) < len(_required(model)):
        raise UserError(
            "Keras does not keep the shapes of all that the model takes: "
            f"{', '.join(_required(model))}",
            hint="give a tf.function with an input_signature: "
            "signatures={'serving_default': function}",
        )
    kind = getattr(model, "input_dtype", None) or "float32"
    rows = {name.removesuffix("_shape"): _specs(row, kind) for name, row in found.items()}
    if len(rows) == 1:
        (spec,) = rows.values()
        return [], [spec]
    return list(rows), list(rows.values())


def trackable(model: Any) -> Any:
    """What to keep in a module that is saved: the model, so that its tables go along.

    Keras traces a tracked model's call with a single argument, which fails where it needs several;
    then its layers are kept.
    """
    return model if len(_required(model)) < 2 else list(model.layers)


def _required(model: Any) -> list[str]:
    """Arguments that ``call`` must be given."""
    rows = inspect.signature(model.call).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [row.name for row in rows if row.kind in kinds and row.default is row.empty]


def _or_none(read: Any) -> Any:
    """What Keras gives; None where it raises, as it does for what a kind of model lacks."""
    try:
        return read()
    except (AttributeError, ValueError):
        return None


def _specs(shape: Any, dtype: str) -> Any:
    """A spec for each shape in a structure of shapes; the batch is left open."""
    import tensorflow as tf

    if isinstance(shape, dict):
        return {key: _specs(row, dtype) for key, row in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return tf.TensorSpec([None, *shape[1:]] if len(shape) else [], dtype)
    return [_specs(row, dtype) for row in shape]


def has_loops(functions: Iterable[Any]) -> bool:
    """Whether concrete functions reach a loop, as recurrent layers do that are not unrolled."""
    for function in functions:
        graph = function.graph.as_graph_def()
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        if any(node.op in ("While", "StatelessWhile") for node in nodes):
            return True
    return False
