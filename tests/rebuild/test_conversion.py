"""The converter in a child process: what it refuses, what it dies of, and what it leaves behind."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import warm
from build import Build

import tflrepair
from tflrepair.errors import UnsupportedError, UserError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.tensorflow import convert as conversion

pytestmark = pytest.mark.tf
WEIGHTS = np.random.default_rng(0).normal(0, 1, (4, 3)).astype(np.float32)


class Dense(tf.Module):
    """What converts."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(WEIGHTS)

    @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32)])
    def infer(self, x: Any) -> Any:
        return {"y": tf.nn.relu(tf.matmul(x, self.w))}


class Smooth(tf.Module):
    """What the converter refuses without ``allow_custom_ops``."""

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def infer(self, x: Any) -> Any:
        return {"y": tf.math.erfc(x)}


# The converter folds the division of constants, and x86 traps on it.
DEADLY = """
import tensorflow as tf
class Deadly(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32)])
    def infer(self, x):
        return {"y": x + tf.truncatediv(tf.constant([7, 8]), tf.constant([0, 0]))}
"""
traps = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or os.name == "nt",
    reason="only x86 traps on an integer division by zero",
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of temporary files, in which nothing of ours may stay."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.glob("tflrepair-*")) == []


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TMPDIR": str(folder)}
    return warm.command_line(*arguments, cwd=folder, env=env, kind="tensorflow")


@traps
@pytest.mark.usefixtures("cold")
def test_death_is_an_error(temporary: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32)])
    def infer(x: Any) -> Any:
        return {"y": x + tf.truncatediv(tf.constant([7, 8]), tf.constant([0, 0]))}

    for keys, advice in ((["infer"], "another version"), (["infer", "again"], "one by one")):
        with pytest.raises(UnsupportedError, match="died of SIGFPE") as caught:
            tflrepair.convert(tf.Module(), dict.fromkeys(keys, infer))
        assert advice in (caught.value.hint or "")


@traps
@pytest.mark.usefixtures("cold")
def test_death_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY)
    done = run(tmp_path, "convert", "deadly.py:Deadly", "-o", "out.tflite")
    assert done.returncode == 2
    assert "the converter died of SIGFPE" in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["deadly.py"]


def division_by_zero() -> Model:
    b = Build()
    main = b.sub("main", "run")
    zeros, y, z = main.tensor("INT32", (2,), bytes(8)), main.tensor("INT32"), main.tensor("INT32")
    main.op("DIV", [main.tensor("INT32", (2,), b"\7\0\0\0" * 2), zeros], [y])
    main.op("ADD", [y, main.input("INT32")], [z])
    main.output(z)
    return from_bytes(b.bytes())


@traps
def test_death_while_rebuilding(temporary: Path) -> None:
    with pytest.raises(UnsupportedError, match="died of SIGFPE") as caught:
        rebuild_from_tflite(division_by_zero(), {})
    assert "--strategy graft" in (caught.value.hint or "")


def test_refusal_is_an_error(temporary: Path) -> None:
    with pytest.raises(
        UnsupportedError, match="neither a builtin of their types nor a Flex form: Erfc"
    ):
        tflrepair.convert(Smooth())


STAND_INS = {
    # what the converter of TensorFlow 2.16 prints where a variable is read only; 2.21 does not
    "aborts": """
        import os, sys
        print("2026-01-01 00:00:00.0: some remark", file=sys.stderr)
        print("LLVM ERROR: Failed to infer result type(s).", file=sys.stderr, flush=True)
        print("#1 0x7f35 __pthread_kill", file=sys.stderr, flush=True)
        os.abort()
    """,
    "stands_still": "import time; time.sleep(600)",
    "dies_writing": """
        import os, sys
        open(sys.argv[1] + "/model.tflite.part", "wb").write(b"TFL3")
        os._exit(3)
    """,
}


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aborts", r"died of SIGABRT: LLVM ERROR: Failed to infer result type\(s\)\."),
        ("stands_still", "took more than 2 s and was stopped"),
        ("dies_writing", "ended with exit code 3"),
    ],
)
def test_other_deaths(
    name: str, message: str, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deaths that no input provokes in this version, so another script stands in."""
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(STAND_INS[name]))
    monkeypatch.setattr(conversion, "WORKER", script)
    with pytest.raises(UnsupportedError, match=message) as caught:
        conversion.convert_saved_model(tmp_path, ["run"], {}, hint="", timeout=2)
    assert ("#1 0x7f35 __pthread_kill" in (caught.value.detail or "")) == (name == "aborts")


def test_no_child_at_all(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(UnsupportedError, match="no child process can be started"):
        conversion.convert_saved_model(tmp_path, ["run"], {}, hint="")


def samples() -> Iterator[Any]:
    rng = np.random.default_rng(1)
    for _ in range(20):
        yield [rng.normal(0, 1, (1, 4)).astype(np.float32)]


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
@pytest.mark.parametrize("kind", ["arrays", "tensors by name", "with the signature", "wrapped"])
def test_a_representative_dataset(kind: str, temporary: Path, tmp_path: Path) -> None:
    """A local function cannot be pickled; its samples, whatever they are, can."""
    dataset: Any = {
        "arrays": lambda: samples(),
        "tensors by name": lambda: ({"x": tf.constant(x)} for (x,) in samples()),
        "with the signature": lambda: (("infer", {"x": x}) for (x,) in samples()),
        "wrapped": tf.lite.RepresentativeDataset(samples),
    }[kind]
    options = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": dataset,
        "target_spec": tf.lite.TargetSpec([tf.lite.OpsSet.TFLITE_BUILTINS_INT8]),
        "inference_input_type": tf.int8,
    }
    found = tflrepair.convert(Dense(), **options)
    main = from_bytes(found).subgraph(0)
    assert main.tensor(main.inputs[0]).dtype == "int8"
    module = Dense()
    signatures = {"infer": module.infer.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "m"))
    for name, value in options.items():
        setattr(converter, name, value)
    assert found == converter.convert()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"representative_dataset": lambda: iter([1 // 0])}, "fails: ZeroDivisionError"),
        ({"representative_dataset": 5}, "fails: TypeError: 'int' object is not callable"),
        ({"target_spec": lambda: 0}, "option 'target_spec' cannot be handed"),
        ({"no_such_option": 1}, "has no option 'no_such_option'"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str, temporary: Path) -> None:
    with pytest.raises(UserError, match=message):
        tflrepair.convert(Dense(), **options)


OPERATOR = """
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"

REGISTER_OP("TflrepairTwice")
    .Input("x: float")
    .Output("y: float")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_operators_that_only_this_process_has(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "twice.cc").write_text(OPERATOR)
    library = tmp_path / "twice.so"
    flags = [*tf.sysconfig.get_compile_flags(), *tf.sysconfig.get_link_flags()]
    command = ["g++", "-shared", "-fPIC", "-w", "-o", str(library), str(tmp_path / "twice.cc")]
    subprocess.run([*command, *flags], check=True)
    twice = tf.load_op_library(str(library)).tflrepair_twice

    class Twice(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def infer(self, x: Any) -> Any:
            return {"y": twice(x=x)}

    with pytest.raises(UnsupportedError, match="TflrepairTwice"):
        tflrepair.convert(Twice())
    data = tflrepair.convert(Twice(), allow_custom_ops=True)
    assert [o.name for o in from_bytes(data).subgraph(0).operators] == ["TflrepairTwice"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the child in /proc")
def test_interrupted(small: Path, tmp_path: Path) -> None:
    """Ctrl-C while the child converts: nothing stays, neither files nor processes."""
    command = ["convert", str(small / "saved_model"), "-o", str(tmp_path / "out.tflite")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tflrepair", *command],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 120
        while not children(process.pid):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        (child,) = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode != 0
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
    while running(child):  # killed, but it may take a moment to give its memory back
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def children(parent: int) -> list[int]:
    """Processes that ``parent`` has started to convert."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [
        int(word)
        for word in text.split()
        if b"convert_worker" in Path(f"/proc/{word}/cmdline").read_bytes()
    ]
