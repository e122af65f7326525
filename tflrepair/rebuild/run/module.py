"""A tf.Module over plain tf.Variables, from a model and its variables' values."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.graph.model import Model
from tflrepair.rebuild.ir.planner import make_plan
from tflrepair.rebuild.ir.python_names import input_names, variable_names
from tflrepair.rebuild.ir.steps import Plan, SignatureFunction
from tflrepair.rebuild.ir.tensor_facts import dtype_of
from tflrepair.rebuild.run.starting_values import (
    StartingValue,
    StartingValues,
    Values,
    starting_values,
)
from tflrepair.rebuild.run.trace import Tracer


def build_module(model: Model, values: Values) -> Any:
    """A tf.Module that computes what ``model`` computes, its variables set to ``values``.

    ``module.endpoints`` maps each signature's key to a tf.function with a fixed input signature,
    whose inputs go by position in the signature's order, and which returns a dict by output name.

    Raises:
        BadFileError: the model is damaged.
        UnsupportedError: it has operators, options or types that are not covered.
        RefusedError: values are missing or do not fit.
    """
    plan = make_plan(model)
    return module_of(plan, starting_values(plan, values))


def module_of(plan: Plan, starts: StartingValues) -> Any:
    """``build_module`` from a plan and the values that its variables start with."""
    import tensorflow as tf

    resources = Live(starts)
    module = tf.Module(name="rebuilt")
    module.weights = list(resources.variables.values())  # tracked: saved with their values
    module.tables = list(resources.tables.values())
    # TensorFlow does not look into such a mapping: what it finds it traces again, to save it
    module.endpoints = MappingProxyType(
        {entry.key: _endpoint(Tracer(plan, resources), entry) for entry in plan.entries}
    )
    return module


class Live:
    """Resources that are tf.Variables and lookup tables."""

    def __init__(self, starts: StartingValues) -> None:
        names = variable_names(starts.variables)
        self.variables = {
            key: _variable(start, name)
            for (key, start), name in zip(starts.variables.items(), names, strict=True)
        }
        self.tables = {key: _table(*rows) for key, rows in starts.tables.items()}

    def read(self, key: ResourceId) -> Any:
        return self.variables[key].read_value()

    def assign(self, key: ResourceId, value: Any) -> None:
        self.variables[key].assign(value)

    def handle(self, key: ResourceId) -> Any:
        return self.variables[key].handle

    def fill(self, key: ResourceId, keys: Any, values: Any) -> None:
        """Tables are filled before; HASHTABLE_IMPORT fills an empty table only."""

    def table(self, key: ResourceId) -> Any:
        return self.tables[key]


def _variable(start: StartingValue, name: str) -> Any:
    import tensorflow as tf

    shape = [None if size < 0 else size for size in start.shape]
    return tf.Variable(initial_value=start.value, name=name, shape=tf.TensorShape(shape))


def _table(keys: Any, values: Any) -> Any:
    import tensorflow as tf

    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values))
    default = tf.zeros([], tf.constant(values).dtype)
    return tf.lookup.StaticHashTable(initializer, default)


def _endpoint(tracer: Tracer, entry: SignatureFunction) -> Any:
    import tensorflow as tf

    subgraph = tracer.plan.model.subgraph(entry.function.subgraph)
    specs = []
    for name, index in zip(input_names(entry), entry.function.inputs, strict=True):
        tensor = subgraph.tensor(index)
        shape = [None if size < 0 else size for size in tensor.shape]
        specs.append(tf.TensorSpec(shape, dtype_of(tensor), name=name))

    def run(*inputs: Any) -> dict[str, Any]:
        results = tracer.run(entry.function, inputs)
        return dict(zip(entry.outputs, results, strict=True))

    return tf.function(run, input_signature=specs, autograph=False)
