"""Keras models of every kind, converted; TensorFlow and LiteRT do not share a process well."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import warm
from conftest import TESTS
from running import Session

pytestmark = pytest.mark.tf

SCRIPT = """
import json, sys
import numpy as np
import keras, tensorflow as tf
import tflrepair

out = sys.argv[1]
told = {}
x = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 6)

class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.one, self.two = keras.layers.Dense(4, "relu"), keras.layers.Dense(3)
    def call(self, inputs, training=False):
        return self.two(self.one(inputs))

class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.one = keras.layers.Dense(3)
    def call(self, left, right):
        return self.one(left) - self.one(right)

def save(name, source, answer):
    steps = []
    data = tflrepair.convert(source, progress=lambda step, done, total: steps.append(step))
    open(f"{out}/{name}.tflite", "wb").write(data)
    np.save(f"{out}/{name}.npy", answer)
    told[f"{name} steps"] = steps

try:
    tflrepair.convert(Sub())
except tflrepair.TflRepairError as error:
    told["unbuilt"] = str(error)
sub = Sub()
save("sub", sub, sub(x)) if sub(x) is not None else None
two = Two()
answer = two(x, x * 2)
try:
    tflrepair.convert(two)
except tflrepair.TflRepairError as error:
    told["two"] = str(error)
spec = tf.TensorSpec([None, 6], tf.float32)
function = tf.function(lambda a, b: {"y": two(a, b)}, input_signature=[spec, spec])
data = tflrepair.convert(two, {"serving_default": function})
open(f"{out}/two.tflite", "wb").write(data)
np.save(f"{out}/two.npy", answer)
net = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(2)])
net.save(f"{out}/net.keras")
save("file", f"{out}/net.keras", net(x))
try:
    tflrepair.convert(object())
except tflrepair.TflRepairError as error:
    told["object"] = str(error)

class Stateful(tf.Module):
    def __init__(self, unroll):
        self.rnn = keras.layers.LSTM(4, unroll=unroll, stateful=True)
        self.rnn.build((1, 3, 2))
    @tf.function(input_signature=[tf.TensorSpec([1, 3, 2], tf.float32)])
    def infer(self, x):
        return {"y": self.rnn(x)}

def samples():
    for number in range(4):
        yield [np.full((1, 3, 2), number / 4, "float32")]

int8 = {"optimizations": [tf.lite.Optimize.DEFAULT], "representative_dataset": samples}
for unroll in (False, True):  # TensorFlow's quantizer dies of the first
    try:
        told[f"size {unroll}"] = len(tflrepair.convert(Stateful(unroll), **int8))
    except tflrepair.TflRepairError as error:
        told[f"crash {unroll}"] = str(error)

from tflrepair.commands.convert import _advice
for unroll in (False, True):
    module = Stateful(unroll)
    function = module.infer.get_concrete_function()
    told[f"unroll {unroll}"] = _advice(["infer"], [function], {"representative_dataset": 1})
    told[f"plain {unroll}"] = _advice(["infer"], [function], {})
told["many"] = _advice(["a", "b"], [function], {})
sub.save(f"{out}/sub.keras")
net.save_weights(f"{out}/net.weights.h5")
for name in ("sub.keras", "net.weights.h5"):
    try:
        tflrepair.convert(f"{out}/{name}")
    except tflrepair.TflRepairError as error:
        told[name] = str(error)
json.dump(told, open(f"{out}/told.json", "w"))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    (folder / "script.py").write_text(SCRIPT)
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(TESTS)}
    code = warm.run_script(folder / "script.py", [str(folder)], env, folder / "log")
    assert not code, (folder / "log").read_text()[-3000:]
    return folder


X = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 6)


@pytest.mark.parametrize("name", ["sub", "two", "file"])
def test_answers_as_keras_does(out: Path, name: str) -> None:
    session = Session(out / f"{name}.tflite")
    runner = session.interpreter.get_signature_runner("serving_default")
    arrays = [X, X * 2]
    names = sorted(runner.get_input_details())
    given = dict(zip(names, arrays, strict=False))
    (found,) = runner(**given).values()
    assert np.allclose(found, np.load(out / f"{name}.npy"), atol=1e-5)


def test_what_is_told(out: Path) -> None:
    told = json.loads((out / "told.json").read_text())
    assert "never called" in told["unbuilt"] and "call it once" in told["unbuilt"]
    assert "keras.Model" in told["object"]
    assert "left, right" in told["two"] and "signatures=" in told["two"]
    assert told["sub steps"][0] == "tracing and saving"
    assert told["sub steps"][-1] == "checking the result"
    assert any("converter" in step for step in told["sub steps"])


def test_the_hint_fits(out: Path) -> None:
    told = json.loads((out / "told.json").read_text())
    assert "unroll=True" in told["unroll False"] and "unroll" not in told["unroll True"]
    for name in ("unroll True", "plain False"):
        assert "one by one" not in told[name]
    assert "one by one" in told["many"]


def test_a_crash_of_the_quantizer_and_what_helps(out: Path) -> None:
    told = json.loads((out / "told.json").read_text())
    assert "crash True" not in told and told["size True"] > 1000
    assert "the converter died of SIGSEGV" in told["crash False"]
    assert "unroll=True" in told["crash False"] and "one by one" not in told["crash False"]


def test_files_that_are_no_model_by_themselves(out: Path) -> None:
    told = json.loads((out / "told.json").read_text())
    assert "custom_objects" in told["sub.keras"] and "config" not in told["sub.keras"]
    assert "not the model itself" in told["net.weights.h5"]


@pytest.mark.parametrize("loud", [[], ["-v"]])
def test_the_command_takes_a_keras_file(out: Path, tmp_path: Path, loud: list[str]) -> None:
    words = ["convert", str(out / "net.keras"), "-o", str(tmp_path / "y.tflite"), *loud]
    done = warm.command_line(*words, kind="tensorflow")
    assert done.returncode == 0, done.stderr
    assert "every variable has a value" in done.stdout
    steps = [line for line in done.stderr.splitlines() if line.startswith("tflrepair: ")]
    assert (len(steps) > 4) == bool(loud), steps
