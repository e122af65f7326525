"""Whole MobileNetV2s among the training modules: training_modules.py says for what."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
from makers.training import BATCHES, NETWORKS

L = keras.layers


def mobile(size: int, smooth: bool = False, frozen: bool = False) -> Any:
    """A whole MobileNetV2; ``smooth``: with swish for ReLU6, ``frozen``: batch norm as it is."""
    base = keras.applications.MobileNetV2(
        (size, size, 3), alpha=0.35, include_top=False, weights=None
    )
    if smooth:
        base = keras.models.clone_model(base, clone_function=_smooth)
    for layer in base.layers:
        layer.trainable = not (frozen and isinstance(layer, L.BatchNormalization))
    return keras.Model(base.input, L.Dense(3)(L.GlobalAveragePooling2D()(base.output)))


def _smooth(layer: Any) -> Any:
    if isinstance(layer, L.ReLU):
        return L.Activation("swish", name=layer.name)
    return layer.__class__.from_config(layer.get_config())


def add() -> None:
    """The last maps of 32 x 32 are one pixel: of a batch of three, a mean there is of 3 numbers."""
    NETWORKS["mobile"] = partial(mobile, 32, smooth=True)
    NETWORKS["mobile_relu6"] = partial(mobile, 96)
    NETWORKS["mobile_frozen"] = partial(mobile, 32, frozen=True)
    NETWORKS["mobile_three"] = partial(mobile, 32)
    BATCHES.update(mobile=16, mobile_relu6=16)
