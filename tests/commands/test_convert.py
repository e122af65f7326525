"""Converting without loss: what comes out has its values and answers as in Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import warm
from conftest import TESTS
from running import Session, rows

import tflrepair

pytestmark = pytest.mark.tf

# TensorFlow and LiteRT do not share a process well, so TensorFlow gets one of its own
SCRIPT = """
import json, sys
import numpy as np
import keras, tensorflow as tf
import tflrepair
from makers.common import randomize
from makers.plain import Healthy
from makers.small import Classifier, network

small, out = sys.argv[1:]
weights = small + "/classifier.weights.h5"
messages = {}
def save(name, data):
    with open(f"{out}/{name}.tflite", "wb") as stream:
        stream.write(data)

module = Classifier(weights)
save("module", tflrepair.convert(module))
names = [v.path for v in [*module.model.variables, *module.optimizer.variables]]
messages["names"] = [name for name in names if name != "adam/learning_rate"]  # a constant
save("chosen", tflrepair.convert(module, {"answer": module.infer}))
save("plain", tflrepair.convert(Healthy()))
net = network()
net.load_weights(weights)
save("model", tflrepair.convert(net))
save("folder", tflrepair.convert(small + "/saved_model"))
save("quantized", tflrepair.convert(net, optimizations=[tf.lite.Optimize.DEFAULT]))

class OneName(tf.Module):
    def __init__(self):
        self.a = tf.Variable([1.0, 2.0], name="same")
        self.b = tf.Variable([[3.0, 4.0, 5.0]], name="same")
    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def infer(self, x):
        self.a.assign_add([x, x])
        self.b.assign_add([[x, x, x]])
        return {"a": self.a.read_value(), "b": self.b.read_value()}

save("one_name", tflrepair.convert(OneName()))

def broken():
    import tflrepair.commands.convert as module
    data = open(small + "/model.tflite", "rb").read()
    module.convert_saved_model = lambda *_, **__: data  # what a converter that loses weights gives
    tflrepair.convert(net)

for name, call in {
    "nothing": lambda: tflrepair.convert(tf.Module()),
    "option": lambda: tflrepair.convert(net, no_such_option=1),
    "number": lambda: tflrepair.convert(5),
    "folder": lambda: tflrepair.convert(out),
    "broken": broken,
}.items():
    try:
        call()
    except tflrepair.TflRepairError as error:
        messages[name] = f"{type(error).__name__}: {error}"
json.dump(messages, open(f"{out}/messages.json", "w"))
"""


@pytest.fixture(scope="module")
def out(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    (folder / "script.py").write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    words = [str(small), str(folder)]
    code = warm.run_script(folder / "script.py", words, env, folder / "log")
    assert code == 0, (folder / "log").read_text()[-3000:]
    return folder


@pytest.mark.parametrize("name", ["module", "chosen", "plain", "model", "folder", "quantized"])
def test_nothing_is_lost(out: Path, name: str) -> None:
    assert tflrepair.scan(out / f"{name}.tflite").findings == ()


def test_variables_keep_their_names(out: Path, small: Path) -> None:
    """As a repaired file calls them, so that a state that one saved loads into the other."""
    messages = json.loads((out / "messages.json").read_text())
    found = {v.name for v in tflrepair.scan(out / "module.tflite").variables}
    assert found == set(messages["names"])
    repaired = {v.name for v in tflrepair.scan(small / "model.tflite").variables}
    found = {v.name for v in tflrepair.scan(out / "folder.tflite").variables}
    assert found == repaired - {"adam/learning_rate"}  # nothing assigns it: a constant


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("module", "infer"),
        ("folder", "infer"),
        ("chosen", "answer"),
        ("model", "serving_default"),
    ],
)
def test_answers_as_in_python(out: Path, small: Path, name: str, key: str) -> None:
    known = np.load(small / "io.npz")
    session = Session(out / f"{name}.tflite")
    (signature,) = [s for s in tflrepair.load(out / f"{name}.tflite").signatures if s.key == key]
    inputs, outputs = signature.inputs[0][0], signature.outputs[0][0]
    for x, wanted in zip(known["x"], known["output"], strict=True):
        answer = session.run(key, **{inputs: x[None]})[outputs]
        np.testing.assert_allclose(answer[0], wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["module", "folder"])
def test_trains_as_in_python(out: Path, small: Path, name: str) -> None:
    known = np.load(small / "training.npz")
    session = Session(out / f"{name}.tflite")
    losses = [session.run("train", x=known["x"], y=known["y"])["loss"] for _ in range(10)]
    np.testing.assert_allclose(losses, known["loss"], rtol=1e-5)
    np.testing.assert_allclose(rows(session, known["x"]), known["output"], atol=1e-5)


def test_refusals(out: Path) -> None:
    messages = json.loads((out / "messages.json").read_text())
    assert "no tf.function" in messages["nothing"]
    assert "no_such_option" in messages["option"]
    assert "not a tf.Module" in messages["number"]
    assert "not a SavedModel" in messages["folder"]
    assert "RefusedError" in messages["broken"]
    assert "TFR001" in messages["broken"]


def test_two_variables_of_one_name_stay_two(out: Path) -> None:
    answer = Session(out / "one_name.tflite").run("infer", x=np.float32(1))
    assert answer["a"].tolist() == [2, 3]
    assert answer["b"].tolist() == [[4, 5, 6]]


def test_the_command(small: Path, tmp_path: Path) -> None:
    command = ["convert", str(small / "saved_model"), "-o", str(tmp_path / "m.tflite")]
    done = warm.command_line(*command, kind="tensorflow")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert tflrepair.scan(tmp_path / "m.tflite").ok


WITH_SAVE = """
import tensorflow as tf

class Trained(tf.Module):
    def __init__(self):
        self.w = tf.Variable([2.0, 3.0])
    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def train(self, x):
        self.w.assign_sub(0.1 * x)
        return {"loss": tf.reduce_sum(self.w * x)}
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def save(self, checkpoint_path):
        tf.raw_ops.Save(filename=checkpoint_path, tensor_names=["w"], data=[self.w.read_value()])
        return {"checkpoint_path": checkpoint_path}
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_no_flex_drops_is_said(tmp_path: Path, form: str) -> None:
    (tmp_path / "code.py").write_text(WITH_SAVE)
    source, out = f"{tmp_path}/code.py:Trained", str(tmp_path / "m.tflite")
    command = ["convert", source, "-o", out, "--no-flex", "--format", form]
    done = warm.command_line(*command, kind="tensorflow")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["results"][0]["notes"] if form == "json" else done.stdout
    assert "signature save dropped: " in "\n".join([said] if form == "text" else said)
    keys = {signature.key for signature in tflrepair.load(out).signatures}
    assert keys == {"train", "get_weights", "set_weights"}


KERAS_2 = """
import sys
import numpy as np
import tensorflow as tf
import tflrepair, warm

warm.use()  # two conversions
assert tf.keras.Sequential.__module__.startswith("tf_keras")
layers = tf.keras.layers
net = tf.keras.Sequential(
    [layers.Input((4,)), layers.Dense(8, "tanh"), layers.BatchNormalization(), layers.Dense(3)]
)

class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.net, self.optimizer = net, tf.keras.optimizers.SGD(1e-2, momentum=0.9)
        self.optimizer.build(net.trainable_variables)
    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    def infer(self, x):
        return {"output": self.net(x, training=False)}
    @tf.function(input_signature=[tf.TensorSpec([8, 4], tf.float32)])
    def train(self, x):
        variables = self.net.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.net(x, training=True) ** 2)
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables))
        return {"loss": loss}

module = Module()
for name, source in {"module": module, "model": net}.items():
    with open(f"{sys.argv[1]}/{name}.tflite", "wb") as stream:
        stream.write(tflrepair.convert(source))
x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
before = module.infer(x[:1])["output"].numpy()
losses = [float(module.train(x)["loss"]) for _ in range(3)]
after = module.infer(x[:1])["output"].numpy()
np.savez(sys.argv[1] + "/known.npz", x=x, before=before, losses=losses, after=after)
"""


def test_keras_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KERAS_2, str(tmp_path)],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert tflrepair.scan(tmp_path / "model.tflite").findings == ()
    assert tflrepair.scan(tmp_path / "module.tflite").findings == ()
    known = np.load(tmp_path / "known.npz")
    session = Session(tmp_path / "module.tflite")
    first = known["x"][:1]
    np.testing.assert_allclose(session.run("infer", x=first)["output"], known["before"], atol=1e-5)
    losses = [session.run("train", x=known["x"])["loss"] for _ in range(3)]
    np.testing.assert_allclose(losses, known["losses"], rtol=1e-5)
    np.testing.assert_allclose(session.run("infer", x=first)["output"], known["after"], atol=1e-5)
