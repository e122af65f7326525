"""Training modules whose optimizer starts as its constructor says, or as copies of the weights.

A folder for each: model.tflite (broken), saved_model, w.weights.h5, calls.npz; where the optimizer
is Keras's own, model.keras and model.h5, compiled with an optimizer like it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import optimizers as O
from keras.src.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap

from makers.calls import Holder, keep
from makers.common import randomize

RATE = 0.05


class Slow(O.Optimizer):
    """Around another optimizer: slow weights that now and then take the fast ones half way along.

    Lookahead (Zhang et al., 2019); ``branch`` puts the update into a tf.cond.
    """

    def __init__(self, inner: Any, name: str, branch: bool) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.inner, self.branch = inner, branch

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.inner.build(variables)
        self.slow = self.add_optimizer_variables(variables, "slow")
        for slow, variable in zip(self.slow, variables, strict=True):
            slow.assign(variable)

    def apply(self, gradients: Any, variables: Any = None) -> None:
        self.inner.apply(gradients, variables)
        self._iterations.assign_add(1)
        due = tf.equal(self._iterations.value % 2, 0)
        if self.branch:
            tf.cond(due, lambda: self.follow(variables, True), lambda: tf.constant(0))
        else:
            self.follow(variables, due)

    def follow(self, variables: Any, due: Any) -> Any:
        for slow, variable in zip(self.slow, variables, strict=True):
            new = slow.value + 0.5 * (variable.value - slow.value)
            variable.assign(tf.where(due, new, variable.value))
            slow.assign(tf.where(due, new, slow.value))
        return tf.constant(1)


class Averaged(O.Adam):
    """Keeps an average of the weights that starts as they do."""

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "ema")
        for average, variable in zip(self.averages, variables, strict=True):
            average.assign(variable)

    def apply(self, gradients: Any, variables: Any = None) -> None:
        super().apply(gradients, variables)
        for average, variable in zip(self.averages, variables, strict=True):
            average.assign(0.9 * average.value + 0.1 * variable.value)


def multi() -> Any:
    return MultiOptimizer(OptimizerMap(O.Adam(RATE), {"net/b.*": O.Adagrad(RATE, 0.3)}))


# name -> (optimizer, whether it is built before it is first called)
MAKERS: dict[str, tuple[Callable[[], Any], bool]] = {
    "adagrad": (lambda: O.Adagrad(RATE, initial_accumulator_value=1.0), True),
    "ftrl": (lambda: O.Ftrl(RATE, initial_accumulator_value=0.5), True),
    "named": (lambda: O.Adagrad(RATE, initial_accumulator_value=0.4, name="mine"), True),
    "scaled": (lambda: O.LossScaleOptimizer(O.Adam(RATE), initial_scale=1024.0), True),
    "scaled_late": (
        lambda: O.LossScaleOptimizer(O.Adagrad(RATE, 0.3), initial_scale=64.0),
        False,
    ),
    "multi": (multi, True),
    "multi_late": (multi, False),
    "nadam_late": (lambda: O.Nadam(RATE), False),
    "lookahead": (lambda: Slow(O.SGD(RATE), "lookahead", False), True),
    "lookahead_branch": (lambda: Slow(O.Adam(RATE), "outer", True), True),
    "averaged": (lambda: Averaged(RATE, name="adam"), True),
    "keras_average": (lambda: O.Adam(RATE, use_ema=True), True),
}
OF_KERAS = ("adagrad", "ftrl", "named", "scaled", "scaled_late")


def network(name: str = "net") -> Any:
    layers = [
        keras.layers.Input((4,)),
        keras.layers.Dense(5, "tanh", name="a"),
        keras.layers.Dense(1, name="b"),
    ]
    return keras.Sequential(layers, name=name)


def trainer(
    model: Any, optimizer: Any, early: bool, after: Callable[[], None] = lambda: None
) -> Holder:
    inner = list(getattr(optimizer, "_inner_optimizers", ()))
    module = Holder(model=model, optimizer=optimizer, inner=inner)
    if early:
        optimizer.build(model.trainable_variables)

    def train(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            scaled = optimizer.scale_loss(loss)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(scaled, variables), variables)
        after()
        return {"loss": loss}

    module.add("infer", lambda x: {"y": model(x, training=False)}, x=[2, 4])
    module.add("train", train, x=[2, 4], y=[2, 1])
    if not early:  # the function makes variables when it is first traced
        module.functions["train"].get_concrete_function()
        module.late = getattr(optimizer, "_u_product", None)
    return module


def taught(out: Path, x: Any, y: Any) -> None:
    """A student, and a teacher that follows it: another model of the same layers."""
    student, teacher = network("student"), network("teacher")
    randomize(student.variables, seed=5)
    teacher.set_weights(student.get_weights())

    def follow() -> None:
        for slow, fast in zip(teacher.variables, student.variables, strict=True):
            slow.assign(0.9 * slow.value + 0.1 * fast.value)

    module = trainer(student, O.SGD(RATE), True, follow)
    module.teacher = teacher
    module.add("teach", lambda x: {"y": teacher(x)}, x=[2, 4])
    out.mkdir()
    student.save_weights(out / "w.weights.h5")
    both = {v.path: np.asarray(v) for v in [*student.variables, *teacher.variables]}
    np.savez(out / "both.npz", allow_pickle=False, **both)
    calls = [("train", {"x": x, "y": y})] * 3
    keep(module, out, [*calls, ("teach", {"x": x}), ("infer", {"x": x})])


def make(out: Path) -> None:
    random = np.random.default_rng(11)
    x, y = random.normal(0, 1, (2, 4)).astype("f"), random.normal(0, 1, (2, 1)).astype("f")
    taught(out / "taught", x, y)
    for name, (optimizer, early) in MAKERS.items():
        keras.backend.clear_session()
        model = network()
        randomize(model.variables, seed=5)
        folder = out / name
        folder.mkdir()
        model.save_weights(folder / "w.weights.h5")
        own = optimizer()
        if name in OF_KERAS:
            saved = network()
            saved.set_weights(model.get_weights())
            saved.compile(optimizer(), "mse")
            saved.save(folder / "model.keras")
            saved.save(folder / "model.h5")
        train = ("train", {"x": x, "y": y})
        keep(trainer(model, own, early), folder, [train] * 5 + [("infer", {"x": x})])
