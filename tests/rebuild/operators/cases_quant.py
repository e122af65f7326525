"""Cases of quantized and recurrent operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rebuild.operators.arrays import i32, real, whole
from rebuild.operators.cases_conv import GEOMETRY, conv_options
from rebuild.single import Case, Quant


def recurrent() -> Iterator[Case]:
    options: dict[str, Any]
    for major, code in ((False, 4), (True, 4), (False, 1)):
        options = {"timeMajor": major, "fusedActivationFunction": code}
        x = real(3, 2, 4) if major else real(2, 3, 4)
        weights, state = [real(5, 4) / 2, real(5, 5) / 2, real(5)], np.zeros((2, 5), np.float32)
        sequence = {"SequenceRNNOptions": options}
        yield Case(
            "UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights, state], ["float32"], sequence, states=(4,)
        )
    x, state = real(2, 4), np.zeros((2, 5), np.float32)
    options = {"RNNOptions": {"fusedActivationFunction": 4}}
    yield Case(
        "RNN", [x, real(5, 4), real(5, 5) / 2, real(5), state], ["float32"], options, states=(4,)
    )
    for rank in (1, 2):
        memory = np.zeros((2, 6 * 3), np.float32)
        inputs = [real(2, 4), real(6, 4), real(6, 3), real(6 // rank), memory]
        yield Case("SVDF", inputs, ["float32"], {"SVDFOptions": {"rank": rank}}, states=(4,))
    for variant in ("full", "coupled", "peephole", "projection", "norm"):
        for major in (False, True):
            yield _lstm(variant, major)
    fields = {"fusedActivationFunction": 4, "cellClip": 0.5}
    inputs = [real(2, 4), *_lstm_weights("full", 2)]
    kinds = ["float32"]
    yield Case("LSTM", inputs, kinds, {"LSTMOptions": fields}, states=(18, 19))


def _lstm(variant: str, major: bool) -> Case:
    x = real(3, 2, 4) if major else real(2, 3, 4)
    fields: dict[str, Any] = {"timeMajor": major, "fusedActivationFunction": 4}
    fields |= {"cellClip": 0.4} if variant == "peephole" else {}
    fields |= {"projClip": 0.3} if variant == "projection" else {}
    options = {"UnidirectionalSequenceLSTMOptions": fields}
    inputs = [x, *_lstm_weights(variant, 2)]
    return Case("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, ["float32"], options, states=(18, 19))


def _lstm_weights(variant: str, batch: int) -> list[Any]:
    """The 19 or 23 inputs after the first: 4 features, 5 cells, 3 outputs with a projection."""
    out = 3 if variant == "projection" else 5
    inputs: list[Any] = [real(5, 4) / 2 for _ in range(4)]
    inputs += [real(5, out) / 2 for _ in range(4)]
    inputs += [real(5) for _ in range(3)] if variant == "peephole" else [None] * 3
    inputs += [real(5) for _ in range(4)]
    inputs += [real(3, 5), real(3)] if variant == "projection" else [None, None]
    inputs += [np.zeros((batch, out), np.float32), np.zeros((batch, 5), np.float32)]
    if variant == "norm":
        inputs += [real(5) for _ in range(4)]
    if variant == "coupled":
        inputs[0] = inputs[4] = inputs[11] = None
    return inputs


def quantized() -> Iterator[Case]:
    near, far = Quant([0.05], [3]), Quant([0.11], [-7])
    small = whole(2, 6, low=-120, high=120, dtype=np.int8)
    yield Case("QUANTIZE", [real(2, 6)], ["int8"], quant={1: near})
    yield Case("QUANTIZE", [real(2, 6)], ["uint8"], quant={1: Quant([0.02], [128])})
    yield Case("QUANTIZE", [real(2, 6)], ["int16"], quant={1: Quant([0.001], [0])})
    yield Case("QUANTIZE", [small], ["int8"], quant={0: near, 1: far}, tolerance=1)
    yield Case("DEQUANTIZE", [small], ["float32"], quant={0: near})
    yield Case(
        "DEQUANTIZE", [whole(4, low=0, dtype=np.uint8)], ["float32"], quant={0: Quant([0.5], [4])}
    )
    yield Case("DEQUANTIZE", [real(5).astype(np.float16)], ["float32"])
    columns = Quant([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0] * 6, 1)
    yield Case("DEQUANTIZE", [small], ["float32"], quant={0: columns})
    fields = {"min": -1.0, "max": 1.5, "numBits": 8}
    yield Case("FAKE_QUANT", [real(3, 4)], ["float32"], {"FakeQuantOptions": fields})
    both = {0: near, 1: near, 2: far}
    other = whole(2, 6, low=-120, high=120, dtype=np.int8)
    for op, member in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")):
        yield Case(op, [small, other], ["int8"], {member: {}}, fed=(0, 1), quant=both, tolerance=1)
    yield Case("RELU", [small], ["int8"], quant={0: near, 1: near}, tolerance=1)
    sigmoid = Quant([1 / 256], [-128])
    yield Case("LOGISTIC", [small], ["int8"], quant={0: near, 1: sigmoid}, tolerance=1)
    yield Case(
        "SOFTMAX",
        [small],
        ["int8"],
        {"SoftmaxOptions": {"beta": 1.0}},
        quant={0: near, 1: sigmoid},
        tolerance=1,
    )
    same = {0: near, 2: near}
    yield Case("RESHAPE", [small, i32(3, 4)], ["int8"], quant=same)
    yield Case("PAD", [small, i32([1, 0], [0, 2])], ["int8"], quant=same)
    yield Case(
        "MEAN",
        [small, i32(1)],
        ["int8"],
        {"ReducerOptions": {}},
        quant={0: near, 2: far},
        tolerance=1,
    )
    kernel = whole(4, 6, low=-127, high=127, dtype=np.int8)
    quant = {0: near, 1: Quant([0.01], [0]), 2: Quant([0.0005], [0]), 3: far}
    inputs = [small, kernel, whole(4, low=-900, high=900)]
    yield Case(
        "FULLY_CONNECTED", inputs, ["int8"], {"FullyConnectedOptions": {}}, quant=quant, tolerance=1
    )
    scales = [0.01, 0.02, 0.03]
    quant = {
        0: near,
        1: Quant(scales, [0] * 3, 0),
        2: Quant([s * 0.05 for s in scales], [0] * 3, 0),
        3: Quant([0.5], [1]),
    }
    pixels = whole(1, 5, 5, 2, low=-120, high=120, dtype=np.int8)
    inputs = [
        pixels,
        whole(3, 3, 3, 2, low=-127, high=127, dtype=np.int8),
        whole(3, low=-900, high=900),
    ]
    yield Case(
        "CONV_2D",
        inputs,
        ["int8"],
        conv_options("Conv2DOptions", *GEOMETRY[2]),
        quant=quant,
        tolerance=1,
    )
    pool = {"padding": 0, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        yield Case(
            op, [pixels], ["int8"], {"Pool2DOptions": pool}, quant={0: near, 1: near}, tolerance=1
        )
