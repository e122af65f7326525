"""3-D pooling that float64 has, too."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class _Pool3D(keras.layers.Layer):
    """MaxPooling3D(2) of operators that have a kernel for float64; MaxPool3D has none."""

    def call(self, x: Any) -> Any:
        x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
        x = tf.maximum(x[:, ::2], x[:, 1::2])
        x = tf.maximum(x[:, :, ::2], x[:, :, 1::2])
        return tf.maximum(x[:, :, :, ::2], x[:, :, :, 1::2])


def max_pool_3d() -> Any:
    is_double = keras.config.floatx() == "float64"
    return _Pool3D() if is_double else keras.layers.MaxPooling3D(2)
