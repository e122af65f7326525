"""Lowerings one by one: as signatures of one module, converted to builtins, run by LiteRT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from conftest import Once

from tflrepair.rebuild.lower.registry import lowerings, parameters
from tflrepair.tensorflow.convert import convert_saved_model

DELEGATES = {
    "XNNPACK": OpResolverType.AUTO,
    "builtin kernels": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


def own(name: str) -> Any:
    """TensorFlow's own operator."""
    return getattr(tf.raw_ops, name)


def lowering(name: str) -> Any:
    """What stands for it: takes the same, and looks at what it needs."""
    function = lowerings()[name]
    return lambda **given: function(**{k: v for k, v in given.items() if k in parameters(function)})


@dataclass(frozen=True)
class ShapeOf:
    """The sizes of another input, as a tensor: what a training function hands to a gradient."""

    name: str


@dataclass(frozen=True, eq=False)  # arrays have no truth of equality
class Case:
    """One operator.

    Attributes:
        fed: inputs of the signature; the first dimension of those in ``opened`` is open.
        fixed: inputs that are constants, or ``ShapeOf``.
        outputs: the outputs that are compared; None for all.
        lists: an input that is a list -> the names in ``fed`` (with a ``_`` in front) of its parts.
        truth: what answers instead of the raw operator, where TensorFlow has no kernel for it.
        program: runs ``op`` and the operators that it needs around it, each found by its name: no
            signature takes or returns a list of tensors.
    """

    op: str
    fed: Mapping[str, Any]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: Sequence[int] | None = None
    opened: bool = True
    rtol: float = 1e-5
    note: str = ""
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    truth: Callable[..., Any] | None = None
    program: Callable[..., Any] | None = None

    @property
    def label(self) -> str:
        sizes = ",".join("x".join(map(str, v.shape)) for v in self.fed.values())
        words = ",".join(f"{k}={v}" for k, v in self.attributes.items())
        return " ".join(filter(None, [self.op, sizes, words, self.note])).replace(" ", "-")

    def arguments(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        fixed = {
            name: tf.shape(tensors[v.name]) if isinstance(v, ShapeOf) else tf.constant(v)
            for name, v in self.fixed.items()
        }
        fixed |= {name: [tensors[part] for part in parts] for name, parts in self.lists.items()}
        return {**{k: v for k, v in tensors.items() if not k.startswith("_")}, **fixed}

    def wanted(self, fed: Mapping[str, Any]) -> list[Any]:
        """What TensorFlow's kernel answers."""
        tensors = {name: tf.constant(value) for name, value in fed.items()}
        return self.chosen(self.run(own, tensors))

    def lowered(self, *values: Any) -> dict[str, Any]:
        tensors = dict(zip(self.fed, values, strict=True))
        return {f"y{n}": y for n, y in enumerate(self.chosen(self.run(lowering, tensors)))}

    def run(self, find: Callable[[str], Any], tensors: Mapping[str, Any]) -> Any:
        given = {**self.arguments(tensors), **self.attributes}
        if self.program:
            return self.program(find, **given)
        return (self.truth if find is own and self.truth else find(self.op))(**given)

    def chosen(self, results: Any) -> list[Any]:
        flat = list(results) if isinstance(results, list | tuple) else [results]
        return [flat[n] for n in (range(len(flat)) if self.outputs is None else self.outputs)]

    def specs(self) -> list[Any]:
        def shape(value: Any) -> list[int | None]:
            return [None, *value.shape[1:]] if self.opened and value.ndim else list(value.shape)

        return [
            tf.TensorSpec(shape(v), v.dtype, name=f"x{n}") for n, v in enumerate(self.fed.values())
        ]


def converted(cases: Sequence[Case], folder: Path) -> bytes:
    """All cases as signatures ``c0``, ``c1``, ..., with builtin operators only."""
    functions = {}
    for number, case in enumerate(cases):
        function = tf.function(case.lowered, input_signature=case.specs(), autograph=False)
        try:
            function.get_concrete_function()
        except Exception as error:
            raise AssertionError(f"{case.label}: {error}") from error
        functions[f"c{number}"] = function
    return file_of(functions, folder)


def file_of(functions: Mapping[str, Any], folder: Path, holder: Any = None) -> bytes:
    """A signature of each function, with builtin operators only. ``holder``: of the variables."""
    module = holder or tf.Module()
    for key, function in functions.items():
        setattr(module, f"f_{key}", function)
    concrete = {key: function.get_concrete_function() for key, function in functions.items()}
    tf.saved_model.save(module, str(folder), signatures=concrete)
    target = tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS])
    return convert_saved_model(folder, list(functions), {"target_spec": target}, hint="")


def interpreters(once: Once, name: str, make: Callable[[Path], bytes]) -> Callable[[str], Any]:
    """delegate -> an interpreter of the file that ``make`` makes once for all processes."""

    def fill(folder: Path) -> None:
        (folder / "model.tflite").write_bytes(make(folder / "saved_model"))

    path = once(name, fill) / "model.tflite"

    def get(delegate: str) -> Any:
        return Interpreter(str(path), experimental_op_resolver_type=DELEGATES[delegate])

    return cache(get)


class Models:
    """The converted cases in an interpreter of each kind."""

    def __init__(self, cases: Sequence[Case], data: bytes) -> None:
        self.cases = list(cases)
        self.interpreters = {
            name: Interpreter(model_content=data, experimental_op_resolver_type=kind)
            for name, kind in DELEGATES.items()
        }

    def answers(self, case: Case, delegate: str, fed: Mapping[str, Any]) -> list[Any]:
        run = self.interpreters[delegate].get_signature_runner(f"c{self.cases.index(case)}")
        found = run(**{f"x{n}": v for n, v in enumerate(fed.values())})
        return [found[f"y{n}"] for n in range(len(found))]


def first(fed: Mapping[str, Any]) -> dict[str, Any]:
    """The first element of the batch alone."""
    return {name: value[:1] for name, value in fed.items()}


def distance(got: Any, want: Any) -> float:
    """The largest difference, relative to the largest wanted value of its kind."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{got.shape} instead of {want.shape}"
    if not want.size:
        return 0.0
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    finite = np.isfinite(want)
    infinite = ~finite & ~np.isnan(want)
    np.testing.assert_array_equal(got[infinite], want[infinite])
    got, want = got[finite].astype(np.float64), want[finite].astype(np.float64)
    scale = np.abs(want).max(initial=1e-30)
    return float(np.abs(got - want).max(initial=0.0) / scale)
