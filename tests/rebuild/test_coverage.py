"""What is covered, what is refused, and that no option is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from tensorflow.lite.python import schema_py_generated as generated

from rebuild.common import values_of
from rebuild.operators.arrays import i32, real, scalar
from rebuild.operators.cases import all_cases
from rebuild.single import Case, Quant, build, litert, load_emitted
from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.graph.model import from_bytes
from tflrepair.rebuild.emit.python_file import python_source
from tflrepair.rebuild.ir.builtin_options import _ENUMS, _plain, _snake
from tflrepair.rebuild.ir.coverage import covered, refuse_uncovered
from tflrepair.rebuild.ops.registry import operators
from tflrepair.rebuild.origins.tflite import rebuild_from_tflite
from tflrepair.rebuild.run.module import build_module
from tflrepair.rebuild.run.reference import run_reference

pytestmark = pytest.mark.tf
RANDOM = {"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"}
# What eleven training models use (MLP, CNNs, attention, recurrent, MobileNet, ResNet); their Flex
# operators are in test_flex.
TRAINING = """ADD ADD_N ASSIGN_VARIABLE BATCH_MATMUL BROADCAST_TO CAST CONCATENATION CONV_2D
DEPTHWISE_CONV_2D DIV EQUAL FILL FULLY_CONNECTED GATHER GREATER_EQUAL HARD_SWISH LESS LOG LOGISTIC
MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL NEG PACK PAD POW RANDOM_UNIFORM READ_VARIABLE REDUCE_PROD RELU
RESHAPE REVERSE_V2 RSQRT SELECT SELECT_V2 SHAPE SLICE SOFTMAX SPLIT SQRT SQUARE SQUARED_DIFFERENCE
STRIDED_SLICE SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV UNPACK UNSORTED_SEGMENT_SUM VAR_HANDLE"""


def test_what_is_covered() -> None:
    assert set(TRAINING.split()) <= covered()
    assert len(covered()) >= 120
    assert covered() <= set(vars(fb.BuiltinOperator))


def test_every_operator_is_tested() -> None:
    assert {case.op for case in all_cases()} | RANDOM == set(operators())


MEMBERS = sorted({(case.op, member) for case in all_cases() for member in case.options})


@pytest.mark.parametrize(("op", "member"), MEMBERS)
def test_defaults_are_the_schemas(op: str, member: str) -> None:
    """Options that are absent from a file mean the schema's defaults."""
    schema = {_snake(k): v for k, v in vars(getattr(generated, member + "T")()).items()}
    for name, default in operators()[op].keywords.items():
        if name != "out_dtype":
            assert name in schema
            assert default == _plain(name, schema[name])


def test_enums_exist() -> None:
    for enum in _ENUMS.values():
        assert hasattr(generated, enum)


def test_uncovered_operators_are_listed_up_front() -> None:
    b = Build()
    main = b.sub("main", "run")
    x = main.input()
    for name, takes, gives in (
        ("HASHTABLE_LOOKUP", 3, 2),
        ("LSH_PROJECTION", 2, 1),
        ("LSH_PROJECTION", 2, 1),
        ("MyOperator", 1, 1),
        ("FlexNoSuch", 1, 1),
    ):
        main.op(name, [x] * takes, [main.tensor() for _ in range(gives)])
    y = main.tensor()
    main.op("ADD", [x, x], [y])
    main.output(y)
    with pytest.raises(UnsupportedError) as caught:
        refuse_uncovered(from_bytes(b.bytes()))
    message = caught.value.message
    names = "FlexNoSuch (1 in run), HASHTABLE_LOOKUP (1 in run), LSH_PROJECTION (2 in run)"
    assert f"{names}, MyOperator (1 in run)" in message
    assert "ADD" not in message
    hint = caught.value.hint or ""
    assert "--strategy graft" in hint and "--strategy optimize" in hint
    with pytest.raises(UnsupportedError, match="cannot be rebuilt"):
        build_module(from_bytes(b.bytes()), {})


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            Case(
                "FULLY_CONNECTED",
                [real(1, 4), real(2, 4), real(2)],
                ["float32"],
                {"FullyConnectedOptions": {"weightsFormat": 1}},
            ),
            "option weights_format = 1 is not covered",
        ),
        (
            Case("LSTM", [real(1, 4)], ["float32"], {"LSTMOptions": {"kernelType": 1}}),
            "option kernel_type = 1|has no state tensor",
        ),
    ],
)
def test_options_that_would_be_lost_are_refused(case: Case, message: str) -> None:
    with pytest.raises(TflRepairError, match=message):
        build_module(from_bytes(build(case)), {})


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case("ADD", [real(2)], ["float32"]), "ADD takes 1 and gives 1 tensor, not 2 and 1"),
        (Case("ADD", [real(2), None], ["float32"]), "needs all its inputs, and one is left out"),
        (
            Case("DEQUANTIZE", [i32(1, 2)], ["float32"], quant={0: Quant([0.1, 0.2, 0.3], [0], 0)}),
            "3 scales and 1 zero point",
        ),
    ],
)
def test_operators_that_make_no_sense(case: Case, message: str) -> None:
    with pytest.raises(BadFileError, match=message):
        build_module(from_bytes(build(case)), {})


def test_tensorflow_refuses_with_a_place() -> None:
    """LiteRT would refuse it, too: the shapes do not fit."""
    case = Case("ADD", [real(2, 3), real(4)], ["float32"], {"AddOptions": {}}, fed=(0, 1))
    with pytest.raises(UnsupportedError, match=r"subgraph 0, operator 0 \(ADD\)"):
        rebuild_from_tflite(from_bytes(build(case)), {})


def test_value_that_nothing_computes() -> None:
    b = Build()
    main = b.sub("main", "run")
    y = main.tensor()
    main.op("ADD", [main.tensor(), main.input()], [y])
    main.output(y)
    with pytest.raises(BadFileError, match="is used, but nothing computes it"):
        build_module(from_bytes(b.bytes()), {})


@pytest.mark.parametrize("op", ["RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL"])
def test_random_numbers(op: str) -> None:
    fields = {"RandomOptions": {"seed": 3, "seed2": 5}}
    data = build(Case(op, [i32(200, 50)], ["float32"], fields))
    run = build_module(from_bytes(data), {}).endpoints["run"]
    first, second = (run(i32(200, 50))["out0"].numpy() for _ in range(2))
    kernel = litert(data, [i32(200, 50)])[0]
    assert first.shape == kernel.shape and first.dtype == kernel.dtype
    assert not np.array_equal(first, second)
    for moment in (np.mean, np.std, np.min):
        assert abs(moment(first) - moment(kernel)) < (0.6 if moment is np.min else 0.03)


def test_multinomial() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], np.float32))
    fields = {"RandomOptions": {"seed": 3, "seed2": 5}}
    data = build(Case("MULTINOMIAL", [logits, scalar(4000)], ["int64"], fields))
    found = build_module(from_bytes(data), {}).endpoints["run"](logits)["out0"].numpy()
    kernel = litert(data, [logits])[0]
    assert found.shape == kernel.shape and found.dtype == kernel.dtype
    for row in range(2):
        got, wanted = (np.bincount(a[row], minlength=3) / 4000 for a in (found, kernel))
        np.testing.assert_allclose(got, wanted, atol=0.05)


def constant_model(kind: str, shape: tuple[int, ...], raw: bytes, op: str, out: str) -> bytes:
    b = Build()
    main = b.sub("main", "run")
    value, result = main.tensor(kind, shape, raw), main.tensor(out, shape)
    main.op(op, [value], [result])
    main.output(result)
    if op == "DEQUANTIZE":
        parameters = fb.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint = [0.5], [1]
        main.table.tensors[value].quantization = parameters
    return b.bytes()


@pytest.mark.parametrize(
    ("kind", "raw", "op", "expected"),
    [
        ("INT4", bytes([0x21, 0xF8, 0x07]), "DEQUANTIZE", [0, 0.5, -4.5, -1, 3]),
        ("UINT4", bytes([0x21, 0xF8, 0x07]), "DEQUANTIZE", [0, 0.5, 3.5, 7, 3]),
        ("INT2", bytes([0b11100100, 0b01]), "DEQUANTIZE", [-0.5, 0, -1.5, -1, 0]),
        ("BFLOAT16", np.array([1, 2.5, -3, 0, 8], np.float32).tobytes()[2:], "CAST", None),
    ],
)
def test_narrow_constants(kind: str, raw: bytes, op: str, expected: Any, tmp_path: Any) -> None:
    if kind == "BFLOAT16":  # the upper halves of float32
        expected = [1, 2.5, -3, 0, 8]
        raw = np.array(expected, np.float32).view(np.uint16)[1::2].tobytes()
    model = from_bytes(constant_model(kind, (5,), raw, op, "FLOAT32"))
    assert run_reference(model, {}, [("run", {})])[0]["out0"].tolist() == expected
    emitted = load_emitted(model, {}, tmp_path / "emitted.py").TheModelModule()
    assert emitted.run()["out0"].numpy().tolist() == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x01", "needs 20 bytes, and its buffer has 1"),
        (b"\0" * 64, "does not fit its 64 bytes"),
    ],
)
def test_constants_of_the_wrong_size(raw: bytes, message: str) -> None:
    model = from_bytes(constant_model("FLOAT32", (5,), raw, "CAST", "INT32"))
    with pytest.raises(BadFileError, match=message):
        build_module(model, {})


@pytest.mark.parametrize(
    "raw",
    [b"\x02\0\0\0", b"\xff\xff\xff\x7f" * 4, b"\x02\0\0\0\x10\0\0\0\x08\0\0\0\x12\0\0\0ab"],
)
def test_malformed_strings(raw: bytes) -> None:
    model = from_bytes(constant_model("STRING", (2,), raw, "RESHAPE", "STRING"))
    with pytest.raises(BadFileError, match="string"):
        build_module(model, {})


def test_damage_is_never_more_than_our_error(small: Any) -> None:
    """Any byte of the file may be wrong: planning and writing end well or with our error."""
    data = bytearray((small / "model.tflite").read_bytes())
    values = values_of(from_bytes(bytes(data)), small / "values.npz")
    rng = np.random.default_rng(5)
    refused = 0
    for position in rng.integers(8, len(data), 100):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(rng.integers(0, 8))
        try:
            python_source(from_bytes(bytes(damaged)), values, "x.npz")
        except TflRepairError:
            refused += 1
    assert 0 < refused < 100
