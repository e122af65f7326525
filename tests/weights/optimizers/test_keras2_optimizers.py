"""The optimizers of tf-keras: starts as tf-keras itself makes them, and state from its files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflrepair
from tflrepair import weights
from tflrepair.weights import MatchTable, Target

pytestmark = [
    pytest.mark.tf,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]

TODAY = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Ftrl",
         "Lion", "Adafactor")  # fmt: skip
LEGACY = ("SGD", "Adam", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Ftrl")
OPTIONS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True},
}


@pytest.fixture(scope="module")
def keras() -> Any:
    return importlib.import_module("tf_keras")


def small(keras: Any) -> Any:
    layers = [keras.layers.Dense(3, input_shape=(4,), name="d1"), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    for variable in model.variables:
        variable.assign(np.random.default_rng(5).standard_normal(variable.shape))
    return model


def targets_of(variables: list[Any]) -> list[Target]:
    rows = {v.name.removesuffix(":0"): v for v in variables}
    return [Target("", name, v.dtype.base_dtype.name, tuple(v.shape)) for name, v in rows.items()]


def matched(model: Any, optimizer: list[Any], source: Any = None) -> MatchTable:
    """A model's and its optimizer's variables; every hyperparameter is set to 7."""
    targets = targets_of([*model.variables, *optimizer])
    arrays = {v.name: v.numpy() for v in model.variables}
    sources = [weights.open_weights(arrays if source is None else source)]
    first = weights.match(targets, sources)
    missing = {p.variables[0]: 7.0 for p in first.problems if p.kind == "missing"}
    return weights.match(targets, sources, sets=missing)


def agree(table: MatchTable, variables: list[Any]) -> set[str]:
    """Compare all that was not set by hand; the names that were."""
    assert not table.problems
    wanted = {v.name.removesuffix(":0"): v.numpy() for v in variables}
    given = set()
    for row in table.rows:
        name = row.target.shared_name
        if row.origin == "set":
            given.add(name.rpartition("/")[2])
        else:
            assert np.array_equal(row.value(), wanted[name]), name
    return given


@pytest.mark.parametrize("scope", [True, False])
@pytest.mark.parametrize("name", TODAY)
def test_starts_are_those_of_tf_keras(keras: Any, name: str, scope: bool) -> None:
    import tensorflow as tf

    model = small(keras)
    optimizer = getattr(keras.optimizers, name)(**OPTIONS.get(name, {}))
    with tf.name_scope(name) if scope else tf.name_scope(""):
        optimizer.build(model.trainable_variables)
    variables = [*optimizer.variables, optimizer._learning_rate]
    if name == "Nadam" and scope:  # not among the optimizer's own list, but a variable
        variables.append(optimizer._u_product)
    table = matched(model, variables)
    assert agree(table, [*model.variables, *variables]) == {"learning_rate"}
    sourced = [r for r in table.rows if r.origin == "initial"]
    assert all(r.source.startswith("tf_keras/src/optimizers/") for r in sourced)


@pytest.mark.parametrize("name", LEGACY)
def test_starts_of_the_older_optimizers(keras: Any, name: str) -> None:
    model = small(keras)
    optimizer = getattr(keras.optimizers.legacy, name)(**OPTIONS.get(name, {}))
    hyper = _hyper(optimizer, model)
    variables = [*optimizer.variables(), *hyper]
    table = matched(model, variables)
    given = agree(table, [*model.variables, *variables])
    assert "learning_rate" in given
    assert not given & {"iter", "momentum_cache"}


def _hyper(optimizer: Any, model: Any) -> list[Any]:
    """Create all variables; the hyperparameters among them are kept elsewhere."""
    with importlib.import_module("tensorflow").name_scope(optimizer._name):
        optimizer._create_all_weights(model.trainable_variables)
    return [v for v in optimizer._hyper.values() if hasattr(v, "numpy")]


def test_an_average_starts_as_its_variable(keras: Any) -> None:
    model, optimizer = small(keras), keras.optimizers.Adam(use_ema=True)
    optimizer.build(model.trainable_variables)
    agree(matched(model, optimizer.variables), [*model.variables, *optimizer.variables])


def test_a_loss_scale(keras: Any) -> None:
    model = small(keras)
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam())
    optimizer.build(model.trainable_variables)
    state = optimizer._loss_scale._weights.values()
    variables = [*optimizer.variables, *state]
    assert {"good_steps:0", "current_loss_scale:0"} <= {v.name for v in variables}
    agree(matched(model, variables), [*model.variables, *variables])


def test_a_model_that_is_called_like_a_slot_is_no_slot() -> None:
    kernel = np.arange(6, dtype="float32").reshape(2, 3)
    arrays = {"dense/kernel": kernel, "m/dense/kernel": kernel + 1}
    targets = [Target("", name, "float32", (2, 3)) for name in arrays]
    targets.append(Target("", "iteration", "int64", ()))
    table = weights.match(targets, [weights.open_weights(arrays)])
    values = {r.target.shared_name: r.value() for r in table.rows}
    assert np.array_equal(values["m/dense/kernel"], kernel + 1)
    alone = weights.match(targets, [weights.open_weights({"dense/kernel": kernel})])
    assert alone.rows[1].origin == "initial"


def trained(keras: Any, make: Callable[[Any], Any]) -> Any:
    model = small(keras)
    model.compile(make(keras.optimizers), "mse")
    random = np.random.default_rng(6)
    model.fit(random.standard_normal((8, 4)), random.standard_normal((8, 2)), verbose=0)
    return model


MAKERS: dict[str, Callable[[Any], Any]] = {
    "Adam": lambda o: o.Adam(),
    "SGD": lambda o: o.SGD(momentum=0.9),
    "Adamax": lambda o: o.Adamax(),
    "Ftrl": lambda o: o.Ftrl(),
    "legacy Adam": lambda o: o.legacy.Adam(),
}


@pytest.mark.parametrize("kind", [*MAKERS])
@pytest.mark.parametrize("file", ["whole.h5", "whole.keras"])
def test_state_from_a_file(keras: Any, tmp_path: Path, kind: str, file: str) -> None:
    model = trained(keras, MAKERS[kind])
    model.save(tmp_path / file)
    optimizer = model.optimizer.variables
    variables = list(optimizer() if callable(optimizer) else optimizer)
    slots = [v for v in variables if v.shape.rank]
    assert any(v.numpy().any() for v in slots)
    table = matched(model, variables, tmp_path / file)
    if kind == "legacy Adam" and file == "whole.keras":  # tf-keras leaves its state out
        assert {r.origin for r in table.rows} == {"weight", "initial"}
        return
    agree(table, [*model.variables, *variables])
    assert all(row.origin == "weight" for row in table.rows)


def test_training_goes_on_where_the_file_left_it(keras: Any, tmp_path: Path) -> None:
    """A converted training model, robbed of its values, gets them back from the .h5: it then
    answers and trains as the file that the converter wrote, bit for bit."""
    import tensorflow as tf
    from injector import rob
    from running import Session

    model = trained(keras, lambda o: o.Adam(jit_compile=False))
    model.save(tmp_path / "whole.h5")
    module = _trainer(tf, model)
    signatures = {"train": module.train, "infer": module.infer}
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    converter.experimental_enable_resource_variables = True
    healthy, broken = tmp_path / "healthy.tflite", tmp_path / "broken.tflite"
    healthy.write_bytes(converter.convert())
    broken.write_bytes(rob(healthy.read_bytes()))
    fixed = tflrepair.fix(broken, [tmp_path / "whole.h5"]).out
    x, y = np.full((8, 4), 0.5, "float32"), np.ones((8, 2), "float32")
    answers = []
    for path in (healthy, Path(str(fixed))):
        session = Session(path)
        losses = [session.run("train", x=x, y=y)["loss"].tobytes() for _ in range(3)]
        answers.append((losses, session.run("infer", x=x)["y"].tobytes()))
    assert answers[0] == answers[1]


def _trainer(tf: Any, model: Any) -> Any:
    class Trainer(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.optimizer = model, model.optimizer

        @tf.function(input_signature=[tf.TensorSpec([8, 4]), tf.TensorSpec([8, 2])])
        def train(self, x: Any, y: Any) -> dict[str, Any]:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.model(x) - y) ** 2)
            variables = self.model.trainable_variables
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
            return {"loss": loss}

        @tf.function(input_signature=[tf.TensorSpec([8, 4])])
        def infer(self, x: Any) -> dict[str, Any]:
            return {"y": self.model(x)}

    return Trainer()


@pytest.mark.parametrize("file", ["whole.h5", "whole.keras"])
@pytest.mark.parametrize("kind", ["Adagrad", "Ftrl", "legacy.Adagrad"])
def test_what_the_constructor_was_given(keras: Any, tmp_path: Path, kind: str, file: str) -> None:
    """A file of a model that was compiled, but not trained, has a config and no state."""

    def optimizer() -> Any:
        *outer, name = kind.split(".")
        module = keras.optimizers.legacy if outer else keras.optimizers
        return getattr(module, name)(0.25, initial_accumulator_value=0.75)

    model, own = small(keras), optimizer()
    model.compile(optimizer(), "mse")
    model.save(tmp_path / file)
    if kind.startswith("legacy"):
        hyper = [v for v in _hyper(own, model) if "learning_rate" in v.name]
        variables = [*own.variables(), *hyper]
    else:
        own.build(model.trainable_variables)
        variables = [*own.variables, own._learning_rate]
    sources = [weights.open_weights(tmp_path / file)]
    table = weights.match(targets_of([*model.variables, *variables]), sources)
    assert agree(table, [*model.variables, *variables]) == set()
    assert not table.assumptions


def test_starts_that_a_constructor_can_change_are_assumed(keras: Any) -> None:
    model, optimizer = small(keras), keras.optimizers.Ftrl()
    optimizer.build(model.trainable_variables)
    table = matched(model, [*optimizer.variables, optimizer._learning_rate])
    (assumption,) = table.assumptions
    assert "initial_accumulator_value=0.1" in assumption.text
    assert assumption.option == "--set 'accumulator/*=VALUE'"
    assert len(table.assumptions[assumption]) == 4


def test_a_loss_scale_that_the_constructor_was_given(keras: Any, tmp_path: Path) -> None:
    model = small(keras)

    def optimizer() -> Any:
        inner = keras.optimizers.Adam(0.25)
        return keras.mixed_precision.LossScaleOptimizer(inner, initial_scale=128.0)

    own = optimizer()
    own.build(model.trainable_variables)
    variables = [*own.variables, *own._loss_scale._weights.values()]
    model.compile(optimizer(), "mse")
    model.save(tmp_path / "whole.keras")
    sources = [weights.open_weights(tmp_path / "whole.keras")]
    table = weights.match(targets_of([*model.variables, *variables]), sources)
    assert agree(table, [*model.variables, *variables]) == set()
    assert not table.assumptions
