"""A module's tf.functions as a .tflite whose variables have their values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflrepair.errors import RefusedError, UnsupportedError, UserError
from tflrepair.graph import CUSTOM
from tflrepair.model import Model, Signature, from_bytes
from tflrepair.repair.rebuild.initial import Values, starting_values
from tflrepair.repair.rebuild.module import module_of
from tflrepair.repair.rebuild.names import input_names
from tflrepair.repair.rebuild.planner import make_plan
from tflrepair.repair.rebuild.signature_names import rename_signatures
from tflrepair.repair.rebuild.steps import Plan
from tflrepair.variables import INITIALIZED, UNREAD, analyse


def rebuild_from_tflite(model: Model, values: Values) -> bytes:
    """``model`` rebuilt as a tf.Module over ``values`` and converted by this TensorFlow.

    The same signatures with the same names, their inputs and outputs in the same order. Variables
    that no signature assigns are constants in the result. A quantized operator becomes a float one
    between conversions of its values.

    Raises:
        BadFileError: the model is damaged.
        UnsupportedError: it has operators, options or types that are not covered, or TensorFlow
            cannot convert it.
        RefusedError: values are missing or do not fit, or the converted file lacks some.
    """
    plan = make_plan(model)
    module = module_of(plan, starting_values(plan, values))
    functions = {key: f.get_concrete_function() for key, f in module.endpoints.items()}
    data = save_and_convert(module, functions)
    return checked(_with_names(data, plan), model.signatures)


def has_custom(model: Model) -> bool:
    """Whether the model was converted with custom operators allowed, and has some."""
    codes = model.operator_codes
    return any(row.code == CUSTOM and not row.name.startswith("Flex") for row in codes)


def save_and_convert(module: Any, functions: Mapping[str, Any], custom: bool = False) -> bytes:
    """Save ``module`` with ``functions`` (concrete) as its signatures, and convert that.

    Raises:
        UnsupportedError: TensorFlow cannot save or convert it.
    """
    with tempfile.TemporaryDirectory(prefix="tflrepair-") as name:
        folder = Path(name)
        save(module, folder, functions)
        return convert_saved_model(folder, list(functions), {"allow_custom_ops": custom})


def save(module: Any, folder: Path, functions: Mapping[str, Any]) -> None:
    """Save ``module`` with ``functions`` as its signatures. Raises UnsupportedError."""
    import tensorflow as tf

    try:
        tf.saved_model.save(module, str(folder), signatures=dict(functions))
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        raise UnsupportedError(f"TensorFlow cannot save the module: {_short(error)}") from error


def convert_saved_model(folder: Path, signatures: list[str], options: Mapping[str, Any]) -> bytes:
    """Convert a SavedModel with resource variables and TensorFlow operators allowed.

    ``options`` are attributes of tf.lite.TFLiteConverter.

    Raises:
        UserError: the converter has no such option.
        UnsupportedError: the converter refuses it.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import ConverterError

    try:
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=signatures)
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS, kinds.SELECT_TF_OPS]
        for name, value in options.items():
            if not hasattr(converter, name):
                raise UserError(f"tf.lite.TFLiteConverter has no option {name!r}")
            setattr(converter, name, value)
        converter.experimental_enable_resource_variables = True
        return bytes(converter.convert())
    except (ConverterError, ValueError, TypeError, tf.errors.OpError) as error:
        raise UnsupportedError(f"TensorFlow cannot convert the model: {_short(error)}") from error


def checked(data: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """``data`` if all its variables have values and it has ``signatures`` by key and names.

    Raises:
        RefusedError: it does not; the message says what it lacks.
    """
    model = from_bytes(data)
    unset = [v.name for v in analyse(model).variables if v.status not in (INITIALIZED, UNREAD)]
    if unset:
        raise RefusedError(
            f"the converted model has {len(unset)} variables without a value: "
            + ", ".join(unset[:8])
        )
    found = {s.key: _names(s) for s in model.signatures}
    for signature in signatures:
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


def _short(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:600] or type(error).__name__
