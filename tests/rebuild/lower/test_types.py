"""Operators that have a builtin, but none for their types: refused before anything is converted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from rebuild.lower.test_tracing import model_of, spec
from tflrepair.errors import UnsupportedError
from tflrepair.graph.location import OperatorRef
from tflrepair.rebuild.lower import convert
from tflrepair.rebuild.lower.convert import lower_flex
from tflrepair.rebuild.lower.trace.made import Record, without_builtin
from tflrepair.rebuild.lower.trace.types import WITHOUT_BUILTIN
from tflrepair.rebuild.requests import NoFlex
from tflrepair.tensorflow import convert as convert_module
from tflrepair.tensorflow.convert import LeftoverError, convert_saved_model

pytestmark = pytest.mark.tf
R = tf.raw_ops
WINDOW: dict[str, Any] = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}
ROWS: tuple[int | None, ...] = (None, 4)
IMAGES = (None, 6, 6, 2)
VOLUMES = (None, 5, 5, 5, 2)
FEATURES = {"Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Softplus", "Softsign"}
REDUCED = {"Max", "Mean", "Min", "Prod", "Sum"}
ODD: dict[str, tuple[list[Any], Callable[..., Any]]] = {
    "AvgPool": ([IMAGES], lambda x: R.AvgPool(value=x, **WINDOW)),
    "MaxPool": ([IMAGES], lambda x: R.MaxPool(input=x, **WINDOW)),
    "BatchMatMulV2": ([(None, 2, 4), (None, 4, 3)], lambda x, y: R.BatchMatMulV2(x=x, y=y)),
    "MatMul": ([ROWS, (4, 3)], lambda x, y: R.MatMul(a=x, b=y)),
    "BiasAdd": ([ROWS, (4,)], lambda x, y: R.BiasAdd(value=x, bias=y)),
    "Cumsum": ([ROWS], lambda x: R.Cumsum(x=x, axis=1)),
    "TopKV2": ([ROWS], lambda x: R.TopKV2(input=x, k=2)[0]),
    "Conv2D": ([IMAGES, (3, 3, 2, 4)], lambda x, w: tf.nn.conv2d(x, w, 1, "VALID")),
    "Conv3D": ([VOLUMES, (2, 2, 2, 2, 3)], lambda x, w: tf.nn.conv3d(x, w, [1] * 5, "VALID")),
    "DepthwiseConv2dNative": (
        [IMAGES, (3, 3, 2, 1)],
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1] * 4, "VALID"),
    ),
}  # fmt: skip
BINARY = {
    "Add", "AddV2", "Div", "DivNoNan", "Greater", "GreaterEqual", "Less", "LessEqual", "Maximum",
    "Minimum", "Mul", "Pow", "RealDiv", "SquaredDifference", "Sub",
}  # fmt: skip


def of(name: str) -> tuple[list[Any], Callable[..., Any]]:
    """The shapes of the operator's inputs, and a call of it."""
    raw = getattr(R, name)
    if name in ODD:
        return ODD[name]
    if name in BINARY:
        return [ROWS, ROWS], lambda x, y: raw(x=x, y=y)
    if name in REDUCED:
        return [ROWS], lambda x: raw(input=x, axis=[1])
    if name.startswith("Unsorted"):
        return [ROWS], lambda x: raw(data=x, segment_ids=tf.range(tf.shape(x)[0]), num_segments=3)
    key = "features" if name in FEATURES else "logits" if name.endswith("Softmax") else "x"
    return [ROWS], lambda x: raw(**{key: x})


@pytest.mark.slow
def test_the_table_is_as_the_converter(tmp_path: Path) -> None:
    """Each operator that it lists is refused by the converter for each of its types."""
    module = tf.Module()
    functions = {}
    for name, kinds in WITHOUT_BUILTIN.items():
        shapes, call = of(name)
        for kind in kinds:
            specs = [spec(*s, dtype=tf.as_dtype(kind), name=f"x{n}") for n, s in enumerate(shapes)]
            traced = tf.function(call, input_signature=specs, autograph=False)
            setattr(module, f"{name}_{kind}", traced)
            functions[f"{name}_{kind}"] = traced.get_concrete_function()
    tf.saved_model.save(module, str(tmp_path), signatures=functions)
    target = {"target_spec": tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS])}
    with pytest.raises(LeftoverError) as refusal:
        convert_saved_model(tmp_path, list(functions), target, hint="")
    same = {"Add": "AddV2", "DivNoNan": "DivNoNan"}
    for name, kinds in WITHOUT_BUILTIN.items():
        assert kinds <= refusal.value.operators.get(same.get(name, name), frozenset()), name


def sine(x: Any) -> Any:
    return {"y": tf.reduce_sum(tf.sin(x))}


def refused(monkeypatch: pytest.MonkeyPatch, model: Any, may_convert: bool = False) -> str:
    def none(*_: Any, **__: Any) -> bytes:
        raise AssertionError("it was converted")

    if not may_convert:
        monkeypatch.setattr(convert, "convert_saved_model", none)
    with pytest.raises(UnsupportedError) as refusal:
        lower_flex(model, {}, NoFlex())
    return refusal.value.message


def test_before_any_conversion_with_the_signatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slope(x: Any) -> Any:
        return {"y": R.SoftplusGrad(gradients=x, features=x)}

    double = spec(None, 4, dtype=tf.float64)
    model = model_of(tmp_path, first=(sine, [double]), second=(slope, [double]))
    rows = refused(monkeypatch, model).splitlines()
    assert any(
        row.startswith("  Sin at subgraph ") and row.endswith("(first): no builtin operator takes "
                                                              "float64")
        for row in rows
    )  # fmt: skip
    part = [row for row in rows if row.startswith("  SoftplusGrad at subgraph ")]
    assert part and "(second): no builtin operator takes float64 (" in part[0]


def test_only_what_is_computed_and_used() -> None:
    """The converter folds the rest, or leaves it out, so it may do without a builtin."""
    still, moved = (tf.Variable(tf.ones([4], tf.float64)) for _ in range(2))
    record = Record()

    def noted(number: int, name: str, *inputs: Any) -> Any:
        call = {"Sin": tf.sin, "AddV2": tf.add}[name]
        result = call(*inputs)
        record.note(OperatorRef(0, number), name, list(inputs), result)
        return result

    def run(x: Any) -> Any:
        wide = tf.cast(x, tf.float64)
        noted(0, "Sin", wide)  # not used
        rows = tf.shape(noted(1, "Sin", wide))  # only its size is
        constant = noted(2, "Sin", tf.ones([4], tf.float64))
        frozen = noted(3, "Sin", still.read_value())
        plus = noted(4, "AddV2", wide, tf.zeros([4], tf.float64))  # nothing, if it is 0
        trained = noted(5, "Sin", moved.read_value())
        both = noted(6, "AddV2", noted(7, "Sin", plus), trained)
        moved.assign(noted(8, "Sin", trained))
        return {"rows": rows, "y": constant * frozen * both, "z": noted(9, "Sin", x)}

    concrete = tf.function(run, input_signature=[spec(None, 4)]).get_concrete_function()
    found = without_builtin(record.rows, concrete.graph, {id(moved.handle)})
    assert {row.site.operator for row in found} == {5, 6, 7, 8}


def test_what_the_converter_finds_is_placed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a loop the table is not asked; the converter's own text is not handed on."""

    def looped(x: Any) -> Any:
        turns = tf.shape(x)[0]
        _, y = tf.while_loop(lambda i, _: i < turns, lambda i, v: (i + 1, tf.math.cos(v)), (0, x))
        return {"y": y}

    double = spec(None, 4, dtype=tf.float64)
    model = model_of(tmp_path, f=(looped, [double]), g=(looped, [double]))
    text = refused(monkeypatch, model, may_convert=True)
    (row,) = [row for row in text.splitlines() if row.startswith("  Cos at ")]
    assert "(f); subgraph " in row and "(g)" in row
    assert row.endswith("no builtin operator takes its types")
    assert "loc(" not in text and "<unknown>" not in text


AT = 'loc(callsite(fused["Odd:", "a/Odd@__inference_g_1"] at fused["PartitionedCall:", "P"]))'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"<unknown>:0: error: {AT}: 'tf.Odd' op operand #0 is odd. So it is\nnote: {AT}: see",
         "Odd: operand #0 is odd"),
        (f"{AT}: error: 'tfl.odd' op failed to verify\nmore", "odd: failed to verify"),
        (f"Could not translate MLIR to FlatBuffer.<unknown>:0: error: {AT}: no such value\n",
         "no such value"),
        ("Input 0 is odd. Another sentence", "Input 0 is odd"),
        ("", "SomeError"),
    ],
)  # fmt: skip
def test_of_the_converters_text_one_sentence_is_left(text: str, told: str) -> None:
    error = convert_module._refusal("SomeError", text, "do this")
    assert error.message == f"TensorFlow cannot convert the model: {told}"
