"""In which order Keras layers create their variables.

Keras 3 weights files know the arrays of a layer by their number only (``vars/0``, ``vars/1``),
which is the order of creation, trainable ones first (keras/src/layers/layer.py,
``save_own_variables``). Each line is from the ``build`` of the layer named behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

# keras/src/layers/...
_ORDERS: tuple[tuple[str, ...], ...] = (
    ("kernel", "bias"),  # core/dense.py, core/einsum_dense.py, convolutional/base_conv.py
    ("gamma", "beta", "moving_mean", "moving_variance"),  # normalization/batch_normalization.py
    ("gamma", "beta"),  # normalization/layer_normalization.py, group_normalization.py
    ("kernel", "recurrent_kernel", "bias"),  # rnn/lstm.py, gru.py, simple_rnn.py, conv_lstm.py
    ("depthwise_kernel", "pointwise_kernel", "bias"),  # convolutional/base_separable_conv.py
    ("embeddings",),  # core/embedding.py
    ("embeddings", "reverse_embeddings"),  # core/reversible_embedding.py
    ("mean", "variance", "count"),  # preprocessing/normalization.py
    ("alpha",),  # activations/prelu.py
    ("scale",),  # normalization/rms_normalization.py
    ("seed_generator_state",),  # keras/src/random/seed_generator.py
)

# Roles of the layers that Keras itself has, by the class name as it stands in a weights file.
_CLASS_ROLES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        [
            "dense",
            "einsum_dense",
            "conv1d",
            "conv2d",
            "conv3d",
            "conv1d_transpose",
            "conv2d_transpose",
            "conv3d_transpose",
            "depthwise_conv1d",
            "depthwise_conv2d",
        ],
        ("kernel", "bias"),
    ),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "group_normalization": ("gamma", "beta"),
    "rms_normalization": ("scale",),
    "lstm_cell": ("kernel", "recurrent_kernel", "bias"),
    "gru_cell": ("kernel", "recurrent_kernel", "bias"),
    "simple_rnn_cell": ("kernel", "recurrent_kernel", "bias"),
    "separable_conv1d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "separable_conv2d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "embedding": ("embeddings",),
    "normalization": ("mean", "variance", "count"),
    "p_re_lu": ("alpha",),
    "seed_generator": ("seed_generator_state",),
}


def creation_orders() -> tuple[tuple[str, ...], ...]:
    """Roles of Keras's own layers, each in order of creation."""
    return _ORDERS


def class_roles(class_name: str) -> tuple[str, ...] | None:
    """All roles that Keras's own layer class can have, in order of creation; None if unknown."""
    return _CLASS_ROLES.get(class_name)


def orders(roles: Iterable[str], count: int, class_name: str = "") -> Iterator[tuple[str, ...]]:
    """The possible roles of ``count`` numbered arrays of a layer that has at least ``roles``.

    A layer may lack some of its class's variables (``use_bias=False``), so each selection that
    keeps the order of creation is possible.
    """
    needed = set(roles)
    known = class_roles(class_name)
    seen = set()
    for order in (known,) if known is not None else _ORDERS:
        if needed <= set(order):
            for selection in combinations(order, count):
                if needed <= set(selection) and selection not in seen:
                    seen.add(selection)
                    yield selection


def known_roles(roles: Iterable[str]) -> bool:
    """Whether Keras itself has a layer with these roles."""
    needed = set(roles)
    return any(needed <= set(order) for order in _ORDERS)
