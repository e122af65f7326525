"""What every rebuild ends with: a module is saved, converted and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.errors import RefusedError
from tflrepair.graph.model import Model, Signature, from_bytes
from tflrepair.leftovers import workspace
from tflrepair.rebuild.ir.custom_nodes import allows_flex, custom_names
from tflrepair.tensorflow.convert import convert_saved_model
from tflrepair.tensorflow.save import save
from tflrepair.wording import plural

_HINT = "repair the model with --strategy graft or --strategy optimize, which do not convert it"


def save_and_convert(module: Any, functions: Mapping[str, Any], model: Model) -> bytes:
    """Save ``module`` with ``functions`` (concrete) as its signatures, and convert that.

    Custom operators are allowed where ``model`` has some, and stay custom ones.

    Raises:
        UnsupportedError: TensorFlow cannot save or convert it.
    """
    import tensorflow as tf

    with workspace() as folder:
        save(module, folder, functions)
        options: dict[str, Any] = {"allow_custom_ops": bool(custom_names(model))}
        if not allows_flex(model):
            options["target_spec"] = tf.lite.TargetSpec([tf.lite.OpsSet.TFLITE_BUILTINS])
        return convert_saved_model(folder, list(functions), options, hint=_HINT)


def checked(data: bytes, model: Model) -> bytes:
    """``data`` if all its variables have values, it has the signatures of ``model`` by key and
    names, and no custom operators but those of ``model``.

    Raises:
        RefusedError: it does not; the message says what it lacks.
    """
    after = from_bytes(data)
    unset = [
        v.name
        for v in AnalysisContext(after).analysis.variables
        if v.status not in (VariableStatus.INITIALIZED, VariableStatus.UNREAD)
    ]
    if unset:
        raise RefusedError(
            f"the converted model has {plural(len(unset), 'variable')} without a value: "
            + ", ".join(unset[:8])
        )
    strangers = custom_names(after) - custom_names(model)
    if strangers:
        raise RefusedError(
            "the converted model has custom operators that the model does not have: "
            + ", ".join(sorted(strangers))
        )
    found = {s.key: names_of(s) for s in after.signatures}
    for signature in model.signatures:
        if found.get(signature.key) != names_of(signature):
            raise RefusedError(
                f"the converted model's signature {signature.key} is "
                f"{found.get(signature.key)} instead of {names_of(signature)}"
            )
    return data


def names_of(signature: Signature) -> tuple[list[str], list[str]]:
    """The names of a signature's inputs and outputs, in their order."""
    return [name for name, _ in signature.inputs], [name for name, _ in signature.outputs]
