"""Layers that only what they do tells apart, and files of a model that is built in another way.

``across_*``: the file is a Functional model's, and what is exported is a class of somebody's own
that calls the same layers, made in the same or in another order. ``told_by_*``: both programs are
alike, but for two layers that are exchanged (see ``variants``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evidence_case import CASES, WIDTH, Keras, Made, parts
from evidence_round import dense, made_in, variants

Join = Callable[[Keras, Any, Any], Any]


def _subtracted(k: Keras, a: Any, b: Any) -> Any:
    return k.layers.Subtract()([a, b])


def _multiplied(k: Keras, a: Any, b: Any) -> Any:
    return k.layers.Multiply()([a, b])


def _across(
    k: Keras, changed: bool, order: Sequence[str], join: Join | None, f: Sequence[str]
) -> Made:
    """Two layers ``a`` and ``b``, joined, or in a row; the class makes them in this order."""
    if not changed:
        a, b = dense(k, f[0])(), dense(k, f[1])()
        i = k.Input((WIDTH,))
        y = b(a(i)) if join is None else join(k, a(i), b(i))
        return Made(k.Model(i, y), parts(a=a, b=b))

    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            for name in order:
                setattr(self, name, dense(k, f["ab".index(name)])())

        def call(self, x: Any) -> Any:
            return self.b(self.a(x)) if join is None else join(k, self.a(x), self.b(x))

    net = Net()
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.a, b=net.b))


def _register(name: str, join: Join | None, f: Sequence[str]) -> None:
    for how, order in (("as_listed", "ab"), ("otherwise", "ba")):

        def build(k: Keras, changed: bool, order: str = order) -> Made:
            return _across(k, changed, order, join, f)

        CASES[f"across_{name}_{how}"] = ("C", build)


def _subtracted_later(k: Keras, a: Any, b: Any) -> Any:
    """Of other shapes by then, so that nothing but the two are alike."""
    means = [k.layers.Lambda(lambda t: k.ops.mean(t, axis=1, keepdims=True))(x) for x in (a, b)]
    return k.layers.Subtract()(means)


_register("subtracted", _subtracted, ("tanh", "tanh"))
_register("subtracted_later", _subtracted_later, ("tanh", "tanh"))
_register("multiplied", _multiplied, ("tanh", "sigmoid"))
_register("in_a_row", None, ("tanh", "sigmoid"))


def either(how: str, one: Any, two: Any) -> dict[str, list[Any]]:
    """Which of two layers that were made in this order is ``a``."""
    return parts(a=two, b=one) if how == "swapped" else parts(a=one, b=two)


@variants(same="S", swapped="C")
def told_by_activation_layers(k: Keras, how: str) -> Made:
    """A gate and a value whose activations are layers of their own."""
    names = ("tanh", "sigmoid") if how == "swapped" else ("sigmoid", "tanh")
    one, two = dense(k, None)(), dense(k, None)()
    i = k.Input((WIDTH,))
    x, y = (k.layers.Activation(f)(d(i)) for f, d in zip(names, (one, two), strict=True))
    found = either(how, one, two)
    return Made(k.Model(i, k.layers.Multiply()([x, y])), found)


@variants(same="S", swapped="C")
def told_by_directions(k: Keras, how: str) -> Made:
    """Two GRUs over the same, one of them from the end."""
    back = how == "swapped"
    one, two = made_in(
        (0, 1),
        lambda: k.layers.GRU(WIDTH, go_backwards=back),
        lambda: k.layers.GRU(WIDTH, go_backwards=not back),
    )
    i = k.Input((3, WIDTH))
    net = k.Model(i, k.layers.Add()([one(i), two(i)]))
    found = either(how, one, two)
    return Made(net, found, shape=(3, WIDTH), train=False)


@variants(same="S", swapped="C")
def told_by_scales(k: Keras, how: str) -> Made:
    """Two layers alike, each behind a Rescaling."""
    scales = (3.0, 2.0) if how == "swapped" else (2.0, 3.0)
    one, two = dense(k)(), dense(k)()
    i = k.Input((WIDTH,))
    x, y = (k.layers.Rescaling(s)(d(i)) for s, d in zip(scales, (one, two), strict=True))
    found = either(how, one, two)
    return Made(k.Model(i, k.layers.Add()([x, y])), found)


@variants(same="S", swapped="C")
def told_by_towers(k: Keras, how: str) -> Made:
    """Two towers of two layers; their activations are in the second one."""
    f = ("tanh", "sigmoid") if how == "swapped" else ("sigmoid", "tanh")
    first = [dense(k)(), dense(k, f[0])()]
    second = [dense(k)(), dense(k, f[1])()]
    i = k.Input((WIDTH,))
    y = k.layers.Multiply()([first[1](first[0](i)), second[1](second[0](i))])
    a, b = (second, first) if how == "swapped" else (first, second)
    last = dense(k, None)()
    net = k.Model(i, last(y))
    return Made(net, parts(a0=a[0], a1=a[1], b0=b[0], b1=b[1], last=last))
