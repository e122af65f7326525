"""Layers from tensor names as converters wrote them (TensorFlow 2.21 with Keras 3, 2.15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflrepair.weights.constants.locations import Scopes, is_inside

KERAS_3 = [
    "functional_1/conv2d_1_2/convolution",
    "functional_1/conv2d_1/Relu;functional_1/conv2d_1/BiasAdd;functional_1/conv2d_1/Squeeze1",
    "functional_1/re_lu_1/Relu;functional_1/conv2d_1/BiasAdd;functional_1/conv2d_1/convolution",
    "functional_1/separable_conv2d_1/separable_conv2d/depthwise2",
    "functional_1/dense_2_1/Tensordot/MatMul",
    "functional_1/multi_head_attention_1/key_1/Add/ReadVariableOp",
    "functional_1/embedding_1/GatherV2;",
    "StatefulPartitionedCall_1:0",
    "arith.constant12",
    "functional_1/bn_1/batchnorm/add_1;functional_1/conv2d_1/convolution",
]
LAYERS_3 = [
    {("functional", "conv2d_1")},
    {("functional", "conv2d")},
    {("functional", "conv2d")},
    {("functional", "separable_conv2d")},
    {("functional", "dense_2")},
    {("functional", "multi_head_attention", "key")},
    {("functional", "embedding")},
    set(),
    set(),
    {("functional", "bn"), ("functional", "conv2d")},
]
KERAS_2 = [
    "model_1/conv2d_1/Conv2D1",
    "model_1/conv2d/BiasAdd;model_1/conv2d/Conv2D;model_1/conv2d/BiasAdd/ReadVariableOp",
    "model_1/separable_conv2d/separable_conv2d/depthwise1",
    "model_1/dense_2/Tensordot;model_1/dense_2/BiasAdd",
    "StatefulPartitionedCall/model_1/embedding/embedding_lookup",
    "model_1/head/MatMul;model_1/head/BiasAdd",
]
LAYERS_2 = [
    {("model_1", "conv2d_1")},
    {("model_1", "conv2d")},
    {("model_1", "separable_conv2d")},
    {("model_1", "dense_2")},
    {("model_1", "embedding")},
    {("model_1", "head")},
]


@pytest.mark.parametrize(("names", "layers"), [(KERAS_3, LAYERS_3), (KERAS_2, LAYERS_2)])
def test_layers(names: list[str], layers: list[set[tuple[str, ...]]]) -> None:
    scopes = Scopes(names)
    assert [scopes.layers([name]) for name in names] == layers


def test_a_separable_convolution_shows_in_its_operators() -> None:
    assert is_inside([KERAS_3[3]], "separable_conv2d")
    assert is_inside(["net_1/sep_1/separable_conv2d1"], "separable_conv2d")
    assert not is_inside(["net_1/separable_conv2d_1/BiasAdd"], "separable_conv2d")


@given(st.lists(st.text("a1_/;:P", max_size=20)))
def test_any_name(names: list[str]) -> None:
    Scopes(names).layers(names)
