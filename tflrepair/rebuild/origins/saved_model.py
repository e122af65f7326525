"""Rebuilding from the SavedModel that the model was converted from.

Loading goes by the object graph, where every variable has its value, and saving again writes one
variable for each weight. So the converter finds them all, with no weights given.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.variables import Variable
from tflrepair.errors import BadFileError, RefusedError, UserError
from tflrepair.graph.model import Model
from tflrepair.rebuild.origins.live_names import pair_by_name, set_values
from tflrepair.rebuild.origins.reconvert import checked, save_and_convert
from tflrepair.rebuild.run.starting_values import Values


def rebuild_from_saved_model(
    source: AnalysisContext | Model, folder: Path, values: Values
) -> bytes:
    """``folder`` loaded, its variables set to ``values``, saved again and converted.

    ``values`` may be empty or name some variables only: the SavedModel holds the others' values.
    The result has the signatures of ``model``, or all of the SavedModel's if it has none.

    Raises:
        UserError: ``folder`` is no SavedModel or lacks a signature of ``model``.
        BadFileError: it cannot be loaded.
        RefusedError: a value fits no variable, or the converted file is not like ``model``.
        UnsupportedError: TensorFlow cannot convert it.
    """
    context = context_of(source)
    model = context.model
    loaded = load_saved_model(folder)
    available = dict(loaded.signatures)
    wanted = [signature.key for signature in model.signatures] or list(available)
    lacking = [key for key in wanted if key not in available]
    if lacking or not wanted:
        raise UserError(
            f"the SavedModel has no signature {', '.join(lacking) or 'at all'}; "
            f"it has: {', '.join(available) or 'none'}",
            where=str(folder),
            hint="give the SavedModel that this model was converted from",
        )
    functions = {key: available[key] for key in wanted}
    if values:
        variables = captured(functions.values())
        set_values(pair_by_name(named(context, values), variables, renumbered=False), values)
    return checked(save_and_convert(loaded, functions, model), model)


def load_saved_model(folder: Path) -> Any:
    """Raises UserError if ``folder`` is no SavedModel, BadFileError if it cannot be loaded."""
    import tensorflow as tf

    if not (folder / "saved_model.pb").is_file():
        raise UserError(
            "is not a SavedModel: there is no saved_model.pb in it",
            where=str(folder),
            hint="name the folder that tf.saved_model.save wrote",
        )
    try:
        return tf.saved_model.load(str(folder))
    except (OSError, ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadFileError(
            f"TensorFlow cannot load this SavedModel: {first}", where=str(folder)
        ) from error


def named(context: AnalysisContext, values: Values) -> list[Variable]:
    """The model's variables; all that ``values`` names must be among them."""
    variables = list(context.analysis.variables)
    strangers = values.keys() - {variable.key for variable in variables}
    if strangers:
        names = ", ".join(sorted(key.shared_name for key in strangers)[:8])
        raise RefusedError(f"the model has no variable for these values: {names}")
    return variables


def captured(functions: Iterable[Any]) -> list[Any]:
    """The tf.Variables that concrete functions use, each once."""
    found = {id(variable): variable for f in functions for variable in f.variables}
    return list(found.values())
