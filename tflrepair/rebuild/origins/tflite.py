"""A module's tf.functions as a .tflite whose variables have their values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflrepair.analysis.variables import INITIALIZED, UNREAD, analyse
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.graph.model import Model, Signature, from_bytes
from tflrepair.rebuild.ir.custom_nodes import allows_flex, custom_names
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.ir.python_names import input_names
from tflrepair.rebuild.ir.steps import Plan
from tflrepair.rebuild.run.module import module_of
from tflrepair.rebuild.run.starting_values import Values, starting_values
from tflrepair.tensorflow.convert import convert_saved_model, first_lines
from tflrepair.tensorflow.signature_names import rename_signatures

_HINT = "repair the model with --strategy graft or --strategy optimize, which do not convert it"


def rebuild_from_tflite(model: Model, values: Values) -> bytes:
    """``model`` rebuilt as a tf.Module over ``values`` and converted by this TensorFlow.

    The same signatures with the same names, their inputs and outputs in the same order. Variables
    that no signature assigns are constants in the result. A quantized operator becomes a float one
    between conversions of its values. A custom operator stays the same custom operator, so a
    runtime that lacks its kernel runs the result as little as ``model``.

    Raises:
        BadFileError: the model is damaged.
        UnsupportedError: it has operators, options or types that are not covered, or TensorFlow
            cannot convert it.
        RefusedError: values are missing or do not fit, or the converted file lacks some.
    """
    plan = make_plan(model)
    module = module_of(plan, starting_values(plan, values))
    functions = {key: f.get_concrete_function() for key, f in module.endpoints.items()}
    data = save_and_convert(module, functions, model)
    return checked(_with_names(data, plan), model)


def save_and_convert(module: Any, functions: Mapping[str, Any], model: Model) -> bytes:
    """Save ``module`` with ``functions`` (concrete) as its signatures, and convert that.

    Custom operators are allowed where ``model`` has some, and stay custom ones.

    Raises:
        UnsupportedError: TensorFlow cannot save or convert it.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="tflrepair-") as name:
        folder = Path(name)
        save(module, folder, functions)
        options: dict[str, Any] = {"allow_custom_ops": bool(custom_names(model))}
        if not allows_flex(model):
            options["target_spec"] = tf.lite.TargetSpec([tf.lite.OpsSet.TFLITE_BUILTINS])
        return convert_saved_model(folder, list(functions), options, hint=_HINT)


def save(module: Any, folder: Path, functions: Mapping[str, Any]) -> None:
    """Save ``module`` with ``functions`` as its signatures. Raises UnsupportedError."""
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures=dict(functions))
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        text = first_lines(error) or type(error).__name__
        raise UnsupportedError(f"TensorFlow cannot save the module: {text}") from error


def checked(data: bytes, model: Model) -> bytes:
    """``data`` if all its variables have values, it has the signatures of ``model`` by key and
    names, and no custom operators but those of ``model``.

    Raises:
        RefusedError: it does not; the message says what it lacks.
    """
    after = from_bytes(data)
    unset = [v.name for v in analyse(after).variables if v.status not in (INITIALIZED, UNREAD)]
    if unset:
        raise RefusedError(
            f"the converted model has {len(unset)} variables without a value: "
            + ", ".join(unset[:8])
        )
    strangers = custom_names(after) - custom_names(model)
    if strangers:
        raise RefusedError(
            "the converted model has custom operators that the model does not have: "
            + ", ".join(sorted(strangers))
        )
    found = {s.key: _names(s) for s in after.signatures}
    for signature in model.signatures:
        if found.get(signature.key) != _names(signature):
            raise RefusedError(
                f"the converted model's signature {signature.key} is "
                f"{found.get(signature.key)} instead of {_names(signature)}"
            )
    return data


def _names(signature: Signature) -> tuple[list[str], list[str]]:
    return [name for name, _ in signature.inputs], [name for name, _ in signature.outputs]


def _with_names(data: bytes, plan: Plan) -> bytes:
    """``data`` with the names and the order of the plan's signatures.

    The file was written a moment ago by the converter whose schema is used here, so unpacking
    and packing it loses nothing.
    """
    wanted = {
        entry.key: (
            dict(zip(input_names(entry), entry.inputs, strict=True)),
            list(entry.inputs),
            list(entry.outputs),
        )
        for entry in plan.entries
    }
    found = {s.key: _names(s) for s in from_bytes(data).signatures}
    right = all(found.get(key) == (row[1], row[2]) for key, row in wanted.items())
    return data if right else rename_signatures(data, wanted)
