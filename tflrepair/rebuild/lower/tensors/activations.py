"""Gradients of activations, by selection rather than by a product.

A unit that is off has gradient 0 whatever comes from above: where TensorFlow's kernels multiply
(Relu6Grad, LeakyReluGrad do not; ReluGrad does), an infinite gradient gives NaN there and 0 here.
Formulas: tensorflow/core/kernels/relu_op_functor.h, softplus_op.h, softsign_op.h.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.special import log1p

SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


@lower("ReluGrad")
def relu_grad(gradients: Any, features: Any) -> Any:
    return tf.where(features > 0, gradients, tf.zeros_like(gradients))


@lower("Relu6Grad")
def relu6_grad(gradients: Any, features: Any) -> Any:
    on = tf.logical_and(features > 0, features < 6)
    return tf.where(on, gradients, tf.zeros_like(gradients))


@lower("LeakyReluGrad")
def leaky_relu_grad(gradients: Any, features: Any, alpha: float = 0.2) -> Any:
    return tf.where(features > 0, gradients, gradients * alpha)


@lower("EluGrad")
def elu_grad(gradients: Any, outputs: Any) -> Any:
    return tf.where(outputs < 0, (outputs + 1) * gradients, gradients)


@lower("SeluGrad")
def selu_grad(gradients: Any, outputs: Any) -> Any:
    return tf.where(outputs < 0, (outputs + SELU_SCALE_ALPHA) * gradients, gradients * SELU_SCALE)


@lower("Selu")
def selu(features: Any) -> Any:
    below = SELU_SCALE_ALPHA * (tf.exp(tf.minimum(features, 0.0)) - 1)
    return tf.where(features < 0, below, features * SELU_SCALE)


@lower("Softplus")
def softplus(features: Any) -> Any:
    return tf.maximum(features, 0.0) + log1p(tf.exp(-tf.abs(features)))


@lower("SoftplusGrad")
def softplus_grad(gradients: Any, features: Any) -> Any:
    return gradients * tf.sigmoid(features)


@lower("Softsign")
def softsign(features: Any) -> Any:
    return features / (1 + tf.abs(features))


@lower("SoftsignGrad")
def softsign_grad(gradients: Any, features: Any) -> Any:
    return gradients / tf.square(1 + tf.abs(features))


@lower("SigmoidGrad")
def sigmoid_grad(y: Any, dy: Any) -> Any:
    return dy * y * (1 - y)


@lower("TanhGrad")
def tanh_grad(y: Any, dy: Any) -> Any:
    return dy * (1 - y * y)


@lower("SqrtGrad")
def sqrt_grad(y: Any, dy: Any) -> Any:
    return dy * 0.5 / y


@lower("RsqrtGrad")
def rsqrt_grad(y: Any, dy: Any) -> Any:
    return dy * -0.5 * (y * y * y)


@lower("ReciprocalGrad", "InvGrad")
def reciprocal_grad(y: Any, dy: Any) -> Any:
    return -dy * y * y
