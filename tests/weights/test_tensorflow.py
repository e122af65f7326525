"""SavedModels and checkpoints, read with TensorFlow: exact names, state and learning rate too."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import made

from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.errors import BadFileError
from tflrepair.graph.model import load
from tflrepair.passes.graft.plan import needing_values
from tflrepair.weights import Target

pytestmark = [pytest.mark.tf, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("name", ["small", "reported"])
def test_a_saved_model_gives_everything_by_name(name: str) -> None:
    folder = made(name)
    model = load(folder / "model.tflite")
    targets = weights.targets_of(model, needing_values(analyse(model)))
    table = weights.match(targets, [weights.open_weights(folder / "saved_model")])
    assert not table.problems
    assert {row.confidence for row in table.rows} == {"exact"}
    assert sum(r.target.shared_name.endswith("learning_rate") for r in table.rows) == 1
    expected = np.load(folder / "values.npz")
    for row in table.rows:
        if row.target.shared_name in expected:
            assert np.array_equal(row.value(), expected[row.target.shared_name])


def test_a_saved_model_with_equal_names_agrees_with_the_weights_file(tmp_path: Path) -> None:
    """Two towers: `fc/kernel` and `fc/kernel_1` are told apart by what the graph captures."""
    tf, keras = _import()
    layers = keras.layers

    def tower() -> Any:
        i = keras.Input((4,))
        return keras.Model(i, layers.Dense(4, name="fc")(i))

    i = keras.Input((4,))
    net = keras.Model(i, layers.Subtract()([tower()(i), tower()(i)]))
    module = tf.Module()
    module.net = net
    module.infer = tf.function(
        lambda x: {"y": net(x)}, input_signature=[tf.TensorSpec((1, 4), tf.float32)]
    )
    for number, variable in enumerate(net.variables):
        variable.assign(np.full(variable.shape, number))
    signatures = {"infer": module.infer.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path / "sm"), signatures=signatures)
    net.save_weights(tmp_path / "w.weights.h5")
    (tmp_path / "m.tflite").write_bytes(_convert(tf, tmp_path / "sm"))
    model = load(tmp_path / "m.tflite")
    targets = weights.targets_of(model, analyse(model).variables)
    tables = [
        weights.match(targets, [weights.open_weights(tmp_path / source)])
        for source in ("sm", "w.weights.h5")
    ]
    assert not tables[0].problems
    assert not tables[1].problems
    for one, two in zip(tables[0].rows, tables[1].rows, strict=True):
        assert np.array_equal(one.value(), two.value())


def _import() -> tuple[Any, Any]:
    import keras
    import tensorflow as tf

    return tf, keras


def _convert(tf: Any, folder: Path) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = True
    return bytes(converter.convert())


def test_a_checkpoint_that_the_models_own_save_wrote(tmp_path: Path) -> None:
    tf, _ = _import()
    path = tmp_path / "on_device"
    kernel, bias = np.ones((2, 3), "float32"), np.arange(3, dtype="float32")
    tf.raw_ops.Save(filename=str(path), tensor_names=["k", "net/bias"], data=[kernel, bias])
    targets = [
        Target("", "net/kernel", "float32", (2, 3), saved_as=("k",)),
        Target("", "net/bias", "float32", (3,)),
    ]
    table = weights.match(targets, [weights.open_weights(path)])
    assert [row.confidence for row in table.rows] == ["exact", "exact"]
    assert np.array_equal(table.rows[0].value(), kernel)
    assert np.array_equal(table.rows[1].value(), bias)


def test_a_checkpoint_prefix_of_a_training_script(tmp_path: Path) -> None:
    tf, keras = _import()
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(5)])
    tf.train.Checkpoint(net=net).write(str(tmp_path / "ckpt-1"))
    targets = [Target("", "sequential_7/dense_9/kernel", "float32", (2, 3))]
    table = weights.match(targets, [weights.open_weights(tmp_path / "ckpt-1")])
    assert not table.problems
    assert np.array_equal(table.rows[0].value(), net.layers[0].kernel.numpy())


def test_a_live_model() -> None:
    _, keras = _import()
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    targets = [Target("", "sequential_7/dense_9/kernel", "float32", (2, 3))]
    table = weights.match(targets, [weights.open_weights(net)])
    assert np.array_equal(table.rows[0].value(), net.layers[0].kernel.numpy())


@pytest.mark.parametrize("part", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_saved_model(tmp_path: Path, part: str) -> None:
    folder = tmp_path / "sm"
    shutil.copytree(made("small") / "saved_model", folder)
    data = (folder / part).read_bytes()
    (folder / part).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadFileError, match="sm"):
        weights.open_weights(folder)
