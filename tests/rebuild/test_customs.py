"""TensorFlow's operators that the converter leaves as custom operators of the same name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as fb
from build import Build
from flatbuffers import flexbuffers
from makers.common import convert

import tflrepair
from rebuild.single import load_emitted
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.fold.fold_invariants import options
from tflrepair.rebuild.ir.custom_nodes import custom_names
from tflrepair.rebuild.origins.reconvert import checked
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.module import build_module
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(4)
X = RNG.normal(0, 1, (2, 3)).astype(np.float32)
SQUARE = (np.eye(3) * 4 + RNG.uniform(0, 1, (3, 3))).astype(np.float32)
WEIGHTS = RNG.normal(0, 1, (3, 4)).astype(np.float32)


class Smooth(tf.Module):
    """``erfc`` by name, and the one in the gradient of exact GELU, beside a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(WEIGHTS, name="w")

    @tf.function(input_signature=[tf.TensorSpec([2, 3], tf.float32, name="x")])
    def infer(self, x: Any) -> Any:
        return {"y": tf.math.erfc(tf.matmul(x, self.w))}

    @tf.function(input_signature=[tf.TensorSpec([2, 3], tf.float32, name="x")])
    def train(self, x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.gelu(tf.matmul(x, self.w), approximate=False) ** 2)
        self.w.assign_sub(0.01 * tape.gradient(loss, self.w))
        return {"loss": loss}


def saved(module: Any, folder: Path, *names: str) -> Path:
    functions = {name: getattr(module, name).get_concrete_function() for name in names}
    tf.saved_model.save(module, str(folder), signatures=functions)
    return folder


def customs(model: Model) -> list[Counter[tuple[str, bytes]]]:
    """Name and options of the custom operators of each signature, Flex ones included."""
    return [
        Counter(
            (operator.name, options(model, operator))
            for operator in model.subgraph(signature.subgraph).operators
            if operator.is_custom
        )
        for signature in model.signatures
    ]


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("smooth")
    return from_bytes(convert(saved(Smooth(), folder, "infer", "train"), flex=True))


@pytest.fixture(scope="module")
def eager() -> list[dict[str, Any]]:
    """Answers of the Python module to ``CALLS``."""
    module = Smooth()
    return [
        {k: v.numpy() for k, v in getattr(module, key)(**inputs).items()} for key, inputs in CALLS
    ]


CALLS = [("infer", {"x": X}), ("train", {"x": X}), ("train", {"x": X}), ("infer", {"x": X})]


def alike(found: list[dict[str, Any]], eager: list[dict[str, Any]]) -> None:
    for answer, wanted in zip(found, eager, strict=True):
        for name, value in wanted.items():
            np.testing.assert_allclose(answer[name], value, rtol=1e-5, atol=1e-6)


def test_the_file_has_them(smooth: Model) -> None:
    assert custom_names(smooth) == {"Erfc"}
    assert [sum(found.values()) for found in customs(smooth)] == [1, 1]


def test_rebuilt_with_the_same_operators(smooth: Model, eager: list[Any]) -> None:
    rebuilt = from_bytes(rebuild_from_tflite(smooth, {}))
    assert customs(rebuilt) == customs(smooth)
    alike(run_reference(smooth, {}, CALLS), eager)
    alike(run_reference(rebuilt, {}, CALLS), eager)
    again = from_bytes(rebuild_from_tflite(rebuilt, {}))
    assert customs(again) == customs(smooth)


def test_verified_by_tensorflow(smooth: Model, eager: list[Any], tmp_path: Path) -> None:
    out = tmp_path / "rebuilt.tflite"
    out.write_bytes(rebuild_from_tflite(smooth, {}))
    for wanted, passes in ((eager[0]["y"], True), (eager[0]["y"] + 0.1, False)):
        report = tflrepair.verify(
            out,
            runtimes=["tensorflow"],
            signature="infer",
            inputs={"x": X},
            expect={"y": wanted},
        )
        assert report.ok is passes, report
    report = tflrepair.verify(out, runtimes=["litert"], signature="infer")
    assert not report.ok  # no kernel, like the file that it came from
    assert all("Erfc" in run.reason for run in report.runs)


def test_emitted_python(smooth: Model, eager: list[Any], tmp_path: Path) -> None:
    out = tmp_path / "smooth.py"
    module = load_emitted(smooth, {}, out).TheModelModule()
    found = [getattr(module, key)(**inputs) for key, inputs in CALLS]
    alike([{k: v.numpy() for k, v in answer.items()} for answer in found], eager)
    quiet = {**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-P", str(out)]
    done = subprocess.run(command, cwd=tmp_path, env=quiet, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    converted = from_bytes(out.with_suffix(".tflite").read_bytes())
    assert customs(converted) == customs(smooth)
    alike(run_reference(converted, {}, CALLS), eager)


@dataclass(frozen=True)
class One:
    """A function that becomes the custom operator ``name``."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    flex: bool = True


ONES = [
    One("Digamma", tf.math.digamma, (np.abs(X) + 1,)),
    One("Igamma", tf.math.igamma, (np.abs(X) + 1, np.abs(X))),
    One("MatrixSquareRoot", tf.linalg.sqrtm, (SQUARE,)),
    One("MatrixSolve", tf.linalg.expm, (SQUARE / 8,)),  # a truth value
    One("Lu", tf.linalg.lu, (SQUARE,)),  # two results, the type of one by an option
    One("UnicodeScript", tf.strings.unicode_script, (np.array([65, 945], np.int32),)),  # no options
    One("Sinh", tf.math.sinh, (X,), flex=False),
    One(
        "StaticRegexReplace",
        lambda x: tf.strings.regex_replace(x, "a+", "ü"),
        (np.array([b"banana"], object),),
        flex=False,
    ),
]


def single(one: One, folder: Path) -> tuple[Model, list[Any]]:
    """The model of ``one`` and its true answers."""
    module = tf.Module()
    specs = [
        tf.TensorSpec(a.shape, tf.as_dtype(a.dtype), name=f"a{n}") for n, a in enumerate(one.inputs)
    ]

    def run(*inputs: Any) -> Any:
        return {f"r{n}": value for n, value in enumerate(tf.nest.flatten(one.function(*inputs)))}

    module.run = tf.function(run, input_signature=specs)
    wanted = module.run(*map(tf.constant, one.inputs))
    return from_bytes(convert(saved(module, folder, "run"), one.flex)), [
        wanted[name].numpy() for name in sorted(wanted)
    ]


@pytest.mark.parametrize("one", ONES, ids=lambda one: one.name)
def test_each(one: One, tmp_path: Path) -> None:
    model, wanted = single(one, tmp_path / "saved_model")
    assert one.name in custom_names(model)
    names = [name for name, _ in model.signatures[0].inputs]
    call = ("run", dict(zip(names, one.inputs, strict=True)))
    rebuilt = from_bytes(rebuild_from_tflite(model, {}))
    assert customs(rebuilt) == customs(model)
    emitted = load_emitted(model, {}, tmp_path / "emitted.py").TheModelModule()
    for found in (
        *(run_reference(m, {}, [call])[0] for m in (model, rebuilt)),
        {k: v.numpy() for k, v in emitted.run(*map(tf.constant, one.inputs)).items()},
    ):
        for name, value in zip(sorted(found), wanted, strict=True):
            if value.dtype == object:
                assert found[name].tolist() == value.tolist()
            else:
                np.testing.assert_allclose(found[name], value, rtol=3e-5, atol=1e-6)


def named(name: str, custom: bytes = b"") -> Model:
    build = Build()
    sub = build.sub("main", "run")
    x, y = sub.input(), sub.tensor()
    sub.op(name, [x], [y])
    sub.table.operators[-1].customOptions = list(custom) or None
    sub.output(y)
    return from_bytes(build.bytes())


TRUE = flexbuffers.Dumps({"T": int(fb.TensorType.FLOAT32)})


def test_options_decide_whose_operator_it_is() -> None:
    run = build_module(named("Erfc", TRUE), {}).endpoints["run"]
    np.testing.assert_allclose(run(X[0, :2])["out0"], tf.math.erfc(X[0, :2]))
    for value in ({}, {"T": "float"}, {"T": 99}, {"U": 0}, {"T": 0, "scale": 2}, [0], 7):
        with pytest.raises(UnsupportedError, match="not the attributes of TensorFlow's operator"):
            build_module(named("Erfc", flexbuffers.Dumps(value)), {})
    with pytest.raises(UnsupportedError, match=r"operator 0 \(Erfc\)"):
        build_module(named("Erfc"), {})


@pytest.mark.parametrize("name", ["RandomGamma", "VarHandleOp", "SavedModelOp", "Placeholder"])
def test_operators_with_state_or_odd_attributes_are_not_covered(name: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"cannot be rebuilt: {name} \(1( in \w+)?\)"):
        build_module(named(name, TRUE), {})


def test_damaged_options() -> None:
    """Any byte may be wrong: the right answer or our error, and soon."""
    refused = 0
    for place in range(len(TRUE)):
        for bit in range(8):
            damaged = bytearray(TRUE)
            damaged[place] ^= 1 << bit
            try:
                build_module(named("Erfc", bytes(damaged)), {})
            except TflRepairError:
                refused += 1
        with pytest.raises(TflRepairError):
            build_module(named("Erfc", TRUE[:place]), {})
    assert refused > 4 * len(TRUE)


def test_new_custom_operators_are_refused(smooth: Model) -> None:
    """What another TensorFlow would leave to a kernel that the model never asked for."""
    with pytest.raises(RefusedError, match="does not have: Sinh"):
        checked(bytes(named("Sinh", TRUE).data), named("Erfc", TRUE))
