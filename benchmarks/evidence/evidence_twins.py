"""Twins: other programs that leave the very same files, and need the other answer.

``NAME_twin`` writes the file that ``NAME`` writes, but for the numbers in its arrays, and exports
the same .tflite, byte for byte. The right weights are others. So no method that has only these two
files can be right for both: what is refused there is refused rightly. ``evidence_same.py`` checks
this on the files themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import evidence_custom
from evidence_case import CASES, WIDTH, Keras, Made, case, parts, several


def _own(order: tuple[str, ...], used: tuple[str, ...]) -> Callable[[Keras, bool], Made]:
    """A program that never changed: its class makes and calls its layers in these orders."""

    def build(k: Keras, changed: bool) -> Made:
        net = evidence_custom.attributes(k, order, used, True)
        net(k.ops.zeros((1, WIDTH)))
        return Made(net, parts(**{name: getattr(net, name) for name in used}))

    return build


def _twin(name: str, build: Callable[[Keras, bool], Made]) -> None:
    build.__name__ = f"{name}_twin"
    case(CASES[name][0])(build)


_twin("attributes_in_another_order", _own(("a", "b"), ("b", "a")))
_twin("attributes_were_in_another_order", _own(("b", "a"), ("b", "a")))
_twin("attributes_with_words", _own(("stem", "head"), ("head", "stem")))
_twin("attributes_with_words_before", _own(("head", "stem", "mid"), ("head", "stem", "mid")))


@case("C")
def parallel_attributes_twin(k: Keras, changed: bool) -> Made:
    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.left = k.layers.Dense(WIDTH, "tanh")
            self.right = k.layers.Dense(WIDTH, "tanh")

        def call(self, x: Any) -> Any:
            return self.right(x) - self.left(x)

    net = Net()
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(left=net.left, right=net.right))


@case("C")
def block_attributes_in_another_order_twin(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    order, used = ("up", "down"), ("down", "up")
    blocks = [evidence_custom.attributes(k, order, used, False) for _ in range(2)]
    net = k.Model(i, blocks[1](blocks[0](i)))
    made: dict[str, Any] = {}
    for n, b in enumerate(blocks):
        made |= parts(**{f"up{n}": b.up, f"down{n}": b.down})
    return Made(net, made)


@case("C")
def functional_with_its_own_call_twin(k: Keras, changed: bool) -> Made:
    class Net(k.Model):
        def __init__(self) -> None:
            i = k.Input((WIDTH,))
            layers = [k.layers.Dense(WIDTH, "tanh") for _ in range(2)]
            first, second = layers[::-1] if changed else layers
            super().__init__(i, second(first(i)))
            self.first, self.second = first, second

    net = Net()
    made = parts(a=net.first, b=net.second)
    updated = (net.second, net.first) if changed else (net.first, net.second)
    trained = [v for layer in updated for v in layer.trainable_variables]
    return Made(net, made, trained=trained)


@case("C")
def lists_in_another_order_twin(k: Keras, changed: bool) -> Made:
    """The program that was trained called its list from the end."""

    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            made = [k.layers.Dense(WIDTH, "tanh") for _ in range(4)]
            self.rows = made[::-1] if changed else made

        def used(self) -> list[Any]:
            return list(self.rows) if changed else list(self.rows)[::-1]

        def call(self, x: Any) -> Any:
            for layer in self.used():
                x = layer(x)
            return x

    net = Net()
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, several("r", net.used()))


@case("C")
def outputs_in_another_order_twin(k: Keras, changed: bool) -> Made:
    """The exported function itself takes the outputs in another order."""
    i = k.Input((WIDTH,))
    x, left, right = (k.layers.Dense(WIDTH, f) for f in ("tanh", "linear", "linear"))
    h = x(i)
    net = k.Model(i, [left(h), right(h)])
    trained = [v for layer in (x, right, left) for v in layer.trainable_variables]
    made = parts(x=x, left=left, right=right)
    return Made(net, made, run=lambda: lambda t: net(t)[::-1], trained=trained)


@case("B")
def auxiliary_head_twin(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    body = k.layers.Dense(WIDTH, "tanh")
    x = body(i)
    one, two = k.layers.Dense(4), k.layers.Dense(4)
    if changed:
        two(x)
        return Made(k.Model(i, one(x)), parts(b0=body, main=one))
    return Made(k.Model(i, [one(x), two(x)]), parts(b0=body, main=two))


@case("B")
def auxiliary_head_first_twin(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    body = k.layers.Dense(WIDTH, "tanh")
    x = body(i)
    main, side = k.layers.Dense(4), k.layers.Dense(4)
    if changed:
        main = k.layers.Dense(4)
        return Made(k.Model(i, main(x)), parts(b0=body, main=main))
    return Made(k.Model(i, [main(x), side(x)]), parts(b0=body, main=main))


def _row(kept: slice) -> Callable[[Keras, bool], Made]:
    """A row of layers of which the exported program has lost some."""

    def build(k: Keras, changed: bool) -> Made:
        count = len(range(4)[kept]) if changed else 4
        i = x = k.Input((WIDTH,))
        layers = [k.layers.Dense(WIDTH, "tanh") for _ in range(count)]
        for layer in layers:
            x = layer(x)
        return Made(k.Model(i, x), several("d", layers if changed else layers[kept]))

    return build


_twin("one_layer_more_in_the_file", _row(slice(0, 3)))


def _half(first: bool, used: slice) -> Callable[[Keras, bool], Made]:
    """Half of a row of four; the exported program makes the other half ``first``, or behind."""

    def build(k: Keras, changed: bool) -> Made:
        i = x = k.Input((WIDTH,))
        layers = [k.layers.Dense(WIDTH, "tanh") for _ in range(4)]
        for layer in layers:
            x = layer(x)
        net, half = k.Model(i, x), layers[used]
        mine = layers[2:] if first else layers[:2]
        if changed:
            half, x = mine, k.Input((WIDTH,)) if first else i
            j = x
            for layer in half:
                x = layer(x)
        part = k.Model(j, x) if changed else None
        trained = [v for layer in half for v in layer.trainable_variables]
        return Made(net, several("f", half), run=lambda: part, trained=trained)

    return build


_twin("encoder_of_a_whole", _half(False, slice(2, 4)))
_twin("decoder_of_a_whole", _half(True, slice(0, 2)))


@case("B")
def siamese_for_one_tower_twin(k: Keras, changed: bool) -> Made:
    """The exported program makes the other tower first."""

    def tower() -> Any:
        i = k.Input((WIDTH,))
        one, two = (k.layers.Dense(WIDTH, "tanh") for _ in range(2))
        return k.Model(i, two(one(i)))

    one, two = tower(), tower()
    i = k.Input((WIDTH,))
    net = k.Model(i, k.layers.Subtract()([one(i), two(i)]))
    user = two if changed else one
    return Made(
        net, several("t", user.layers[1:]), run=lambda: user, trained=user.trainable_variables
    )
