"""fix --strategy, from the command line, on real models: the same answers, or a clear refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import warm
from build import Build
from conftest import TESTS
from running import Session, rows

import tflrepair
from tflrepair import FixResult

pytestmark = pytest.mark.tf

MODULE = '''
from makers.small import Classifier

class Tracked(Classifier):
    """The module of the model, as its author has it."""

class OtherSignatures(Classifier):
    infer = None
'''
VARIANTS: dict[str, list[str]] = {
    "graft": [],
    "freeze": ["--freeze"],
    "optimize": ["--strategy", "optimize"],
    "rebuild": ["--strategy", "rebuild"],
    "saved_model": ["--strategy", "rebuild", "--saved-model", "SAVED_MODEL"],
    "module": ["--strategy", "rebuild", "--module", "module.py:Tracked", "--init-kwargs", "KWARGS"],
}


def run(small: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kwargs = f'{{"weights": "{small / "classifier.weights.h5"}"}}'
    names = {"SAVED_MODEL": str(small / "saved_model"), "KWARGS": kwargs}
    words = [names.get(a, a) for a in arguments]
    env = {**os.environ, "PYTHONPATH": str(TESTS)}
    return warm.command_line(*words, cwd=folder, env=env, kind="tensorflow")


def fix(small: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "module.py").write_text(MODULE)
    weights = ["--weights", str(small / "classifier.weights.h5")]
    rate = ["--set", "adam/learning_rate=0.001"]
    return run(small, folder, "fix", str(small / "model.tflite"), *weights, *rate, *options,
               "-o", "out.tflite")  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_answers_and_trains_as_in_python(small: Path, tmp_path: Path, variant: str) -> None:
    done = fix(small, tmp_path, *VARIANTS[variant])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert tflrepair.scan(tmp_path / "out.tflite").ok
    known = np.load(small / "training.npz")
    before = np.load(small / "io.npz")
    session = Session(tmp_path / "out.tflite")
    np.testing.assert_allclose(rows(session, before["x"]), before["output"], atol=1e-5)
    losses = [session.run("train", x=known["x"], y=known["y"])["loss"] for _ in range(10)]
    np.testing.assert_allclose(losses, known["loss"], rtol=1e-5)
    np.testing.assert_allclose(rows(session, known["x"]), known["output"], atol=1e-5)


def test_a_saved_model_needs_no_weights(small: Path, tmp_path: Path) -> None:
    done = run(small, tmp_path, "fix", str(small / "model.tflite"), "--strategy", "rebuild",
               "--saved-model", "SAVED_MODEL", "-o", "out.tflite")  # fmt: skip
    assert done.returncode == 0, done.stderr
    known = np.load(small / "io.npz")
    answers = rows(Session(tmp_path / "out.tflite"), known["x"])
    np.testing.assert_allclose(answers, known["output"], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--module", "nothing.py:Tracked"], "no such file"),
        (["--module", "module.py:Nothing"], "no class Nothing"),
        (["--module", "module.py:Tracked"], "--init-kwargs"),
        (["--module", "module.py:Tracked", "--init-kwargs", "[]"], "must be a JSON object"),
        (["--module", "module.py:Tracked", "--init-kwargs", "{"], "is not JSON"),
        (["--module", "broken.py:A"], "cannot be imported"),
        (["--module", "module.py:OtherSignatures", "--init-kwargs", "KWARGS"], "infer"),
        (["--saved-model", "nothing"], "nothing"),
        (["--saved-model", "SAVED_MODEL", "--module", "module.py:Tracked"], "not from both"),
    ],
)
def test_refusals(small: Path, tmp_path: Path, options: list[str], says: str) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind\n")
    done = fix(small, tmp_path, "--strategy", "rebuild", *options)
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.tflite").exists()


def test_an_operator_that_is_not_covered(small: Path, tmp_path: Path) -> None:
    build = Build()
    sub = build.sub("infer", "infer")
    value = sub.read(sub.handle("w"))
    sub.op("MyOwnOperator", [value], [sub.tensor()])
    sub.output(value)
    (tmp_path / "custom.tflite").write_bytes(build.bytes())
    done = run(small, tmp_path, "fix", "custom.tflite", "--set", "w=1", "--strategy", "rebuild")
    assert done.returncode == 2
    assert "MyOwnOperator" in done.stderr
    assert "--strategy graft" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["custom.tflite"]


def test_rebuild_writes_python_that_runs(small: Path, tmp_path: Path) -> None:
    weights = ["--weights", str(small / "classifier.weights.h5")]
    done = run(small, tmp_path, "rebuild", str(small / "model.tflite"), *weights, "--set",
               "adam/learning_rate=0.001", "--emit-python", "module.py")  # fmt: skip
    assert done.returncode == 0, done.stderr
    ran = subprocess.run([sys.executable, "module.py"], cwd=tmp_path, capture_output=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    known = np.load(small / "io.npz")
    answers = rows(Session(tmp_path / "module.tflite"), known["x"])
    np.testing.assert_allclose(answers, known["output"], atol=1e-5)


def test_verify_with_tensorflow(small: Path, tmp_path: Path) -> None:
    fix(small, tmp_path)
    done = run(small, tmp_path, "verify", "out.tflite", "--runtime", "tensorflow")
    assert done.returncode == 0, done.stderr
    assert "2 ok" in done.stdout


def test_saved_and_restored_by_name(reported: Path, fixed: FixResult, tmp_path: Path) -> None:
    """save, change, restore in TensorFlow: the same values, under the variables' own names."""
    script = """
import sys
import numpy as np
import tensorflow as tf
from tflrepair.graph.model import load
from tflrepair.rebuild.run.reference import Reference

model, folder, images = sys.argv[1:]
x = np.load(images)["x"]
y = np.eye(62, dtype=np.float32)[[1, 5, 9, 20, 33, 60]]
path = np.array(folder + "/checkpoint", dtype=np.bytes_)
reference = Reference(load(model), {})
reference.call("save", {"checkpoint_path": path})
names = tf.train.load_checkpoint(folder + "/checkpoint")
first = {n: names.get_tensor(n) for n in names.get_variable_to_shape_map()}
assert len(first) == 6 and all(n.startswith("classification_head/") for n in first), first.keys()
for _ in range(3):
    reference.call("train", {"x": x, "y": y})
again = np.array(folder + "/trained", dtype=np.bytes_)
reference.call("save", {"checkpoint_path": again})
trained = tf.train.load_checkpoint(folder + "/trained")
assert all(np.abs(trained.get_tensor(n) - v).max() > 0 for n, v in first.items())
reference.call("restore", {"checkpoint_path": path})
last = np.array(folder + "/restored", dtype=np.bytes_)
reference.call("save", {"checkpoint_path": last})
restored = tf.train.load_checkpoint(folder + "/restored")
assert all(np.array_equal(restored.get_tensor(n), v) for n, v in first.items())
"""
    command = [
        sys.executable,
        "-c",
        script,
        str(fixed.out),
        str(tmp_path),
        str(reported / "io.npz"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
