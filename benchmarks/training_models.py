"""The networks whose training step is timed: of sizes that phones train."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

L = keras.layers


def _row(shape: tuple[int, ...], *layers: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *layers, L.Flatten(), L.Dense(3)])


def _residual() -> Any:
    x = inputs = keras.Input((32, 32, 3))
    x = L.Conv2D(16, 3, padding="same")(x)
    for stride in (1, 2, 2):
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, stride, padding="same")(x)))
        y = L.BatchNormalization()(L.Conv2D(16, 3, padding="same")(y))
        x = L.ReLU()(L.Add()([y, L.Conv2D(16, 1, stride)(x)]))
    return keras.Model(inputs, L.Dense(3)(L.GlobalAveragePooling2D()(x)))


MODELS: dict[str, Callable[[], Any]] = {
    "mlp": lambda: _row((784,), L.Dense(256, "relu"), L.Dense(128, "relu")),
    "lstm": lambda: _row((28, 28), L.LSTM(64)),
    "gru": lambda: _row((28, 28), L.GRU(64)),
    "cnn": lambda: _row(
        (28, 28, 1),
        L.Conv2D(32, 3, activation="relu"),
        L.MaxPooling2D(),
        L.Conv2D(64, 3, activation="relu"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dense(64, "relu"),
    ),
    "separable": lambda: _row(
        (32, 32, 3),
        L.SeparableConv2D(32, 3, padding="same", activation="relu"),
        L.SeparableConv2D(64, 3, 2, padding="same", activation="relu"),
        L.GlobalAveragePooling2D(),
    ),
    "residual": _residual,
}
