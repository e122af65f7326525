"""Flex operators, in files that the real converter made from a convolutional trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from makers.common import convert

from rebuild.single import load_emitted
from tflrepair.graph.model import Model, from_bytes
from tflrepair.rebuild.ir import flex_nodes
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(3)
X = RNG.normal(0, 1, (2, 8, 8, 3)).astype(np.float32)
Y = RNG.normal(0, 1, (2, 5)).astype(np.float32)
FLEX = {
    "BroadcastGradientArgs", "ConcatOffset", "Conv2DBackpropFilter",
    "DepthwiseConv2dNativeBackpropFilter", "DepthwiseConv2dNativeBackpropInput", "EnsureShape",
    "MaxPoolGrad", "Relu6Grad", "ReluGrad", "Restore", "Save", "ShapeN", "StridedSliceGrad",
}  # fmt: skip


class Trainer(tf.Module):
    """Every kind of layer whose gradient has no builtin operator."""

    def __init__(self) -> None:
        super().__init__()
        shapes = {"conv": (3, 3, 3, 4), "depthwise": (3, 3, 4, 1), "dense": (40, 5), "bias": (1, 5)}
        self.weights = {
            name: tf.Variable(RNG.normal(0, 0.3, shape).astype(np.float32), name=name)
            for name, shape in shapes.items()
        }
        self.half = tf.Variable(tf.constant([1.0, 2.0], tf.float16), name="half")

    def answer(self, x: Any) -> Any:
        w = self.weights
        x = tf.nn.relu(tf.nn.conv2d(x, w["conv"], 1, "SAME"))
        x = tf.nn.relu6(tf.nn.depthwise_conv2d(x, w["depthwise"], [1, 1, 1, 1], "SAME"))
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        both = tf.concat([x[:, 1:, ::2], tf.tile(x[:, :1, ::2], [1, 2, 1, 1])], 1)
        flat = tf.reshape(both, [tf.shape(x)[0], 40])
        return tf.matmul(flat, w["dense"]) + w["bias"]

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="x")])
    def infer(self, x: Any) -> Any:
        return {"y": self.answer(x)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 8, 8, 3], tf.float32, name="x"),
            tf.TensorSpec([None, 5], tf.float32, name="y"),
        ]
    )
    def train(self, x: Any, y: Any) -> Any:
        weights = list(self.weights.values())
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.math.squared_difference(self.answer(x), y))
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.05 * gradient)
        self.half.assign_add(tf.cast([0.5, 0.25], tf.float16))
        return {"loss": loss, "half": tf.cast(self.half, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="path")])
    def save(self, path: Any) -> Any:
        names, values = zip(*self.weights.items(), strict=True)
        tf.raw_ops.Save(filename=path, tensor_names=list(names), data=list(values))
        return {"path": path}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="path")])
    def restore(self, path: Any) -> Any:
        for name, weight in self.weights.items():
            value = tf.raw_ops.Restore(file_pattern=path, tensor_name=name, dt=tf.float32)
            weight.assign(tf.ensure_shape(value, weight.shape))
        return {"path": path}


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    return Trainer()


@pytest.fixture(scope="module")
def model(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("trainer")
    names = ("infer", "train", "save", "restore")
    functions = {name: getattr(trainer, name).get_concrete_function() for name in names}
    tf.saved_model.save(trainer, str(folder), signatures=functions)
    return from_bytes(convert(folder, flex=True))


@pytest.fixture(scope="module")
def eager(trainer: Trainer, model: Model) -> list[Any]:
    """Answers of the original, in the order of ``calls``. It trains, so the file is made first."""
    before = trainer.infer(X)["y"].numpy()
    steps = [trainer.train(X, Y) for _ in range(10)]
    losses = [float(step["loss"]) for step in steps]
    return [before, losses, trainer.infer(X)["y"].numpy(), steps[-1]["half"].numpy()]


STEP = ("train", {"x": X, "y": Y})
ASK = ("infer", {"x": X})


def alike(answers: list[dict[str, Any]], eager: list[Any]) -> None:
    before, losses, after, half = eager
    np.testing.assert_allclose(answers[0]["y"], before, atol=1e-5)
    np.testing.assert_allclose([a["loss"] for a in answers[1:11]], losses, rtol=1e-4)
    np.testing.assert_allclose(answers[11]["y"], after, atol=1e-4)
    np.testing.assert_array_equal(answers[10]["half"], half)
    assert losses[-1] < losses[0]


def test_the_file_has_the_operators(model: Model) -> None:
    names = {o.name for s in model.subgraphs for o in s.operators}
    flex = {name.removeprefix("Flex") for name in names if name.startswith("Flex")}
    assert flex >= FLEX - {"BroadcastGradientArgs", "ShapeN"}


def test_reference_trains_like_eager(model: Model, eager: list[Any]) -> None:
    alike(run_reference(model, {}, [ASK, *[STEP] * 10, ASK]), eager)


def test_rebuilt_file_trains_like_eager(model: Model, eager: list[Any]) -> None:
    rebuilt = from_bytes(rebuild_from_tflite(model, {}))
    alike(run_reference(rebuilt, {}, [ASK, *[STEP] * 10, ASK]), eager)


def test_emitted_python_trains_like_eager(model: Model, eager: list[Any], tmp_path: Path) -> None:
    module = load_emitted(model, {}, tmp_path / "emitted.py").TheModelModule()
    answers = [getattr(module, key)(**inputs) for key, inputs in [ASK, *[STEP] * 10, ASK]]
    alike([{k: v.numpy() for k, v in a.items()} for a in answers], eager)


def test_save_and_restore(model: Model, tmp_path: Path) -> None:
    path = {"path": np.array(str(tmp_path / "weights"), np.bytes_)}
    *_, saved = run_reference(model, {}, [STEP, STEP, ("save", path), ASK])
    restored = run_reference(model, {}, [ASK, ("restore", path), ASK])
    np.testing.assert_array_equal(restored[2]["y"], saved["y"])
    assert np.abs(restored[0]["y"] - saved["y"]).max() > 1e-3


@pytest.mark.parametrize("name", ["BroadcastGradientArgs", "ConcatOffset", "ShapeN"])
def test_operators_with_lists(name: str, tmp_path: Path) -> None:
    """Inputs and outputs that are lists, written by the converter from the same raw op."""

    class Lists(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="n")])
        def run(self, n: Any) -> Any:
            shapes = [tf.concat([n, [k]], 0) for k in (3, 1, 4)]
            if name == "BroadcastGradientArgs":
                found = tf.raw_ops.BroadcastGradientArgs(s0=shapes[0], s1=shapes[1])
            elif name == "ConcatOffset":
                found = tf.raw_ops.ConcatOffset(concat_dim=1, shape=shapes)
            else:
                found = tf.raw_ops.ShapeN(input=[tf.zeros(shape) for shape in shapes])
            return {f"r{k}": value for k, value in enumerate(found)}

    module = Lists()
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={"run": module.run})
    model = from_bytes(convert(tmp_path / "m", flex=True))
    n = np.array([2], np.int32)
    assert any(o.name == f"Flex{name}" for o in model.subgraphs[0].operators)
    found = run_reference(model, {}, [("run", {"n": n})])[0]
    emitted = load_emitted(model, {}, tmp_path / "emitted.py").TheModelModule()
    written = emitted.run(n)
    for key, value in module.run(n).items():
        np.testing.assert_array_equal(found[key], value)
        np.testing.assert_array_equal(written[key], value)


def test_inputs_have_the_names_of_the_python_api() -> None:
    from inspect import signature

    from tensorflow.core.framework.node_def_pb2 import NodeDef

    for op, count in (("Sum", 2), ("ExpandDims", 2), ("Select", 3), ("Split", 2), ("Where", 1)):
        values: list[Any] = list(range(count))
        bound = flex_nodes.bind(NodeDef(op=op), values)
        assert list(bound.values()) == values
        assert list(bound) == list(signature(getattr(tf.raw_ops, op)).parameters)[:count]
