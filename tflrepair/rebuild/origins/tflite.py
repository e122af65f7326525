"""A module's tf.functions as a .tflite whose variables have their values."""

from __future__ import annotations

from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import Model, from_bytes
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.ir.python_names import input_names
from tflrepair.rebuild.ir.steps import Plan
from tflrepair.rebuild.origins.reconvert import checked, names_of, save_and_convert
from tflrepair.rebuild.run.module import module_of
from tflrepair.rebuild.run.starting_values import Values, starting_values
from tflrepair.rewrite.signature_names import rename_signatures


def rebuild_from_tflite(source: AnalysisContext | Model, values: Values) -> bytes:
    """A model rebuilt as a tf.Module over ``values`` and converted by this TensorFlow.

    The same signatures with the same names, their inputs and outputs in the same order. Variables
    that no signature assigns are constants in the result. A quantized operator becomes a float one
    between conversions of its values. A custom operator stays the same custom operator, so a
    runtime that lacks its kernel runs the result as little as the model.

    Raises:
        BadFileError: the model is damaged.
        UnsupportedError: it has operators, options or types that are not covered, or TensorFlow
            cannot convert it.
        RefusedError: values are missing or do not fit, or the converted file lacks some.
    """
    plan = make_plan(source)
    module = module_of(plan, starting_values(plan, values))
    functions = {key: f.get_concrete_function() for key, f in module.endpoints.items()}
    data = save_and_convert(module, functions, plan.model)
    return checked(_with_names(data, plan), plan.model)


def _with_names(data: bytes, plan: Plan) -> bytes:
    """``data`` with the names and the order of the plan's signatures."""
    wanted = {
        entry.key: (
            dict(zip(input_names(entry), entry.inputs, strict=True)),
            list(entry.inputs),
            list(entry.outputs),
        )
        for entry in plan.entries
    }
    found = {s.key: names_of(s) for s in from_bytes(data).signatures}
    right = all(found.get(key) == (row[1], row[2]) for key, row in wanted.items())
    return data if right else rename_signatures(data, wanted)
