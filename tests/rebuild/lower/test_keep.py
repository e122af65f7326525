"""What stays and what goes: signatures with checkpoints, --keep-flex, wrong options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import warm
from ai_edge_litert.interpreter import Interpreter
from makers.common import convert

import tflrepair
from rebuild.lower.test_tracing import linalg, model_of, spec
from rebuild.public.base import Trained, one_hot, row
from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError, UserError
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import from_bytes, load
from tflrepair.rebuild.lower.convert import lower_flex
from tflrepair.rebuild.requests import NoFlex

pytestmark = [
    pytest.mark.tf,
    # Keras's Variable answers numpy's old protocol while its weights are saved
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def test_keeps_what_is_to_be_kept(tmp_path: Path) -> None:
    def plain(x: Any) -> Any:
        return {"y": tf.raw_ops.ReluGrad(gradients=x, features=x)}

    model = model_of(tmp_path, f=(plain, [spec(3)]), g=(linalg, [spec(3, 3)]))
    new = from_bytes(lower_flex(model, {}, NoFlex(keep=("g",))).data)
    flex = {t.label: t.flex for t in run_targets(AnalysisContext(new))}
    assert flex == {"f": (), "g": ("FlexCholesky",)}
    with pytest.raises(UserError, match="no signature 'h'"):
        lower_flex(model, {}, NoFlex(keep=("h",)))


def checkpoints(path: Any) -> Any:
    return {"y": tf.raw_ops.Restore(file_pattern=path, tensor_name="w", dt=tf.float32)}


def test_nothing_but_checkpoints_is_refused(tmp_path: Path) -> None:
    model = model_of(tmp_path, f=(checkpoints, [spec(dtype=tf.string)]))
    with pytest.raises(RefusedError, match="every signature"):
        lower_flex(model, {}, NoFlex())


@pytest.fixture(scope="module")
def saving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModel, broken file and weights of a module that saves itself by a signature."""
    folder = tmp_path_factory.mktemp("saving")
    net = row((2,), keras.layers.Dense(3, "relu"), keras.layers.Dense(1))
    loss = keras.losses.MeanSquaredError()
    module = Trained(net, keras.optimizers.SGD(0.1, momentum=0.9), loss, one_hot(1))
    keys = {key: function.get_concrete_function() for key, function in module.functions.items()}
    tf.saved_model.save(module, str(folder / "saved_model"), signatures=keys)
    (folder / "model.tflite").write_bytes(convert(folder / "saved_model", flex=True))
    net.save_weights(folder / "net.weights.h5")
    return folder


def is_as_wanted(out: Path, said: str) -> None:
    flex = {target.label: target.flex for target in run_targets(AnalysisContext(load(out)))}
    assert flex.pop("save") == ("FlexSave",)
    assert flex and not any(flex.values())
    assert {"train", "infer", "get_weights", "set_weights"} == flex.keys()
    assert "signature save keeps Flex operators (Save)" in said
    assert "signature restore dropped" in said
    assert "signature save dropped" not in said


def trains(out: Path, saving: Path) -> None:
    """Everything but `save` runs on a runtime without Flex."""
    interpreter = Interpreter(str(out))
    train = interpreter.get_signature_runner("train")
    x = np.array([[1, 2], [3, -1]], np.float32)
    y = np.array([[0.5], [-0.5]], np.float32)
    losses = [float(train(x=x, y=y)["loss"]) for _ in range(5)]
    assert losses[-1] < losses[0]
    state = interpreter.get_signature_runner("get_weights")()
    fresh = Interpreter(str(out))
    assert fresh.get_signature_runner("set_weights")(**state)["done"] == 1
    answers = [i.get_signature_runner("infer")(x=x)["output"] for i in (interpreter, fresh)]
    np.testing.assert_array_equal(*answers)


def test_fix_keeps_save(saving: Path, tmp_path: Path) -> None:
    out = tmp_path / "fixed.tflite"
    command = ["fix", saving / "model.tflite", "--weights", saving / "net.weights.h5",
               "--learning-rate", "0.1", "--no-flex", "--keep-flex", "save", "-o", out]  # fmt: skip
    done = warm.command_line(*map(str, command), kind="tensorflow")
    assert done.returncode == 0, done.stderr + done.stdout
    is_as_wanted(out, done.stdout)
    trains(out, saving)


def test_convert_keeps_save(saving: Path, tmp_path: Path) -> None:
    out = tmp_path / "converted.tflite"
    command = ["convert", saving / "saved_model", "--no-flex", "--keep-flex", "save", "-o", out]
    done = warm.command_line(*map(str, command), "--format", "json", kind="tensorflow")
    assert done.returncode == 0, done.stderr + done.stdout
    is_as_wanted(out, "\n".join(json.loads(done.stdout)["results"][0]["notes"]))
    trains(out, saving)


def test_rebuild_keeps_save_with_its_values(saving: Path, tmp_path: Path) -> None:
    """What runs `save`: TensorFlow's own kernels, on the file that was written."""
    from tflrepair.rebuild.run.reference import run_reference

    out = tmp_path / "converted.tflite"
    data = tflrepair.convert(saving / "saved_model", flex=False, keep_flex=["save"])
    out.write_bytes(data)
    path = tmp_path / "checkpoint"
    (answer,) = run_reference(load(out), {}, [("save", {"checkpoint_path": np.array(str(path))})])
    assert str(path) in str(answer["checkpoint_path"])
    state = Interpreter(str(out)).get_signature_runner("get_weights")()
    names = [name for name, _ in tf.train.list_variables(str(path))]
    assert len(names) == 4
    for name in names:
        (known,) = [v for key, v in state.items() if key.endswith(name) and "momentum" not in key]
        np.testing.assert_array_equal(tf.train.load_variable(str(path), name), known)


@pytest.mark.parametrize(
    ("options", "message"),
    [(NoFlex(batch=0), "the batch cannot be 0"), (NoFlex(state="some"), "no state")],
)
def test_options_are_checked(options: NoFlex, message: str) -> None:
    with pytest.raises(UserError, match=message):
        options.check()
