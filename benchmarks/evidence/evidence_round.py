"""Architectures of mixed construction, each saved by several other programs (kinds A to C and S).

``variants`` registers one case for each way in which the program that saved the weights differs
from the one that was exported, which is always the builder's own (``how`` is empty).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from evidence_case import CASES, WIDTH, Keras, Made, parts, several

Build = Callable[..., Made]


def variants(twins: Sequence[str] = (), **kinds: str) -> Callable[[Build], Build]:
    """Register NAME_HOW for each ``how``: the kind of the issue that it is.

    For each of ``twins``, register NAME_HOW_twin, too: the builder with ``twin`` = "saved" for its
    program that saved the weights, and "exported HOW" for the other one.
    """

    def register(build: Build) -> Build:
        for how, kind in kinds.items():
            CASES[f"{build.__name__}_{how}"] = (kind, partial(_one, build, how))
        for how in twins:
            kind = "C" if kinds[how] == "S" else kinds[how]  # its program has changed
            CASES[f"{build.__name__}_{how}_twin"] = (kind, partial(_twin, build, how))
        return build

    return register


def _one(build: Build, how: str, k: Keras, changed: bool) -> Made:
    made = build(k, "" if changed or how == "same" else how)
    return made if changed else replace(made, optimizer=None)  # the file is not compiled


def _twin(build: Build, how: str, k: Keras, changed: bool) -> Made:
    twin = f"exported {how}" if changed else "saved"
    made = build(k, "" if changed or how == "same" else how, twin=twin)
    return made if changed else replace(made, optimizer=None)


def made_in(order: Sequence[int], *makers: Callable[[], Any]) -> list[Any]:
    """What the makers make, each in its own place, made in this order."""
    found = {place: makers[place]() for place in order}
    return [found[place] for place in range(len(makers))]


def dense(k: Keras, f: str | None = "tanh", **more: Any) -> Callable[[], Any]:
    return lambda: k.layers.Dense(WIDTH, f, **more)


@variants(("wider",), same="S", reordered="C", body="B", wider="B", swapped="B")
def gated_residual(k: Keras, how: str, twin: str = "") -> Made:
    """A gate and a value of one shape, a skip around both, two more layers.

    The twin's program lost the first of the two layers in a row, not the second one.
    """
    order = (2, 1, 3, 0) if how == "reordered" else (0, 1, 2, 3)
    f = ("tanh", "sigmoid") if how == "swapped" else ("sigmoid", "tanh")
    gate, value, mix, last = made_in(
        order, dense(k, f[0]), dense(k, f[1]), dense(k), dense(k, None)
    )
    i = k.Input((WIDTH,))
    x = k.layers.Add()([i, k.layers.Multiply()([gate(i), value(i)])])
    x = mix(x)
    found = parts(gate=gate, value=value, mix=mix)
    if how == "swapped":  # a product can be turned round: its gate is our value
        found = parts(gate=value, value=gate, mix=mix)
    if how == "body":
        return Made(k.Model(i, x), found)
    if how == "wider":
        more = dense(k)()
        x = more(x)
        found |= parts(mix=more) if twin else {}
    return Made(k.Model(i, last(x)), found | parts(last=last))


@variants(
    ("same", "reordered", "reversed_list", "more"),
    same="S", reordered="C", reversed_list="C", more="B",
)  # fmt: skip
def pyramid(k: Keras, how: str, twin: str = "") -> Made:
    """A subclassed model: a stem, a list of convolutions with norms, two lateral ones.

    The twin's program called the two lateral ones in each other's place when it saved.
    """

    class Pyramid(k.Model):
        def __init__(self) -> None:
            super().__init__()
            if how == "reordered":
                self.lateral_b, self.lateral_a = self.conv(), self.conv()
            self.stem = self.conv()
            count = 4 if how == "more" else 3
            layers = [self.conv() for _ in range(count)]
            self.convs = layers[::-1] if how == "reversed_list" else layers
            self.norms = [k.layers.BatchNormalization() for _ in range(3)]
            if how != "reordered":
                self.lateral_a, self.lateral_b = self.conv(), self.conv()

        def conv(self) -> Any:
            return k.layers.Conv2D(4, 3, padding="same")

        def call(self, x: Any) -> Any:
            x = self.stem(x)
            seen = []
            for conv, norm in zip(self.convs, self.norms, strict=False):
                x = norm(conv(x))
                seen.append(x)
            if how == "more":
                x = self.convs[3](x)
            return self.lateral()[0](seen[0]) + self.lateral()[1](x)

        def lateral(self) -> list[Any]:
            both = [self.lateral_a, self.lateral_b]
            return both[::-1] if twin == "saved" else both

    net = Pyramid()
    net(k.ops.zeros((2, 5, 5, 4)))
    first, second = net.lateral()
    found = parts(stem=net.stem, a=first, b=second)
    found |= several("conv", net.convs[:3]) | several("norm", net.norms)
    return Made(net, found, shape=(5, 5, 4))


@variants(same="S", reordered="C", inner_reordered="C", one="B")
def shared_encoders(k: Keras, how: str) -> Made:
    """One nested model used twice beside another one like it that is used once."""

    def encoder() -> tuple[Any, list[Any]]:
        order = (1, 0) if how == "inner_reordered" else (0, 1)
        layers = made_in(order, dense(k), dense(k))
        j = k.Input((WIDTH,))
        return k.Model(j, layers[1](layers[0](j))), layers

    (twice, a), (once, b) = made_in((1, 0) if how == "reordered" else (0, 1), encoder, encoder)
    i = k.Input((WIDTH,))
    last = dense(k, None)()
    x = twice(i)
    if how == "one":
        return Made(k.Model(i, last(twice(x))), several("a", a) | parts(last=last))
    x = k.layers.Subtract()([twice(x), once(i)])
    return Made(k.Model(i, last(x)), several("a", a) | several("b", b) | parts(last=last))


@variants(same="S", reordered="A", sublayer_first="A", frozen_first="A")
def own_weights(k: Keras, how: str) -> Made:
    """A layer of somebody's own: weights of one shape by hand, some not trained, and a Dense."""

    class Mixer(k.layers.Layer):
        def build(self, shape: Any) -> None:
            names = ["alpha", "offset", "running", "decay"]
            if how == "reordered":
                names = ["offset", "alpha", "decay", "running"]
            if how == "frozen_first":
                names = ["running", "alpha", "decay", "offset"]
            if how == "sublayer_first":
                self.inner = dense(k)()
            for name in names:
                trained = name in ("alpha", "offset")
                setattr(self, name, self.add_weight(shape=(WIDTH,), name=name, trainable=trained))
            if how != "sublayer_first":
                self.inner = dense(k)()
            self.inner.build((None, WIDTH))
            super().build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(x * self.alpha + self.offset) * self.running - self.decay

    i = k.Input((WIDTH,))
    first, second = Mixer(), Mixer()
    net = k.Model(i, second(first(i)))
    found = {}
    for name, layer in (("first", first), ("second", second)):
        mine = [layer.alpha, layer.offset, layer.running, layer.decay, *layer.inner.weights]
        found[name] = mine
    return Made(net, found)


@variants(
    ("exchanged", "renamed", "automatic"),
    same="S", exchanged="C", renamed="B", automatic="C", fewer="B",
)  # fmt: skip
def mixed_names(k: Keras, how: str, twin: str = "") -> Made:
    """Names by hand beside automatic ones, one of them like Keras's own.

    The twin's program put new layers, under new names, in the place of those with names by hand,
    and trained them; in ``exchanged`` it exchanged the calls of two layers and left their names.
    """
    names: list[str | None] = ["stem", None, "dense_2", None, "out"]
    if how == "exchanged":
        names = ["dense_2", None, "stem", None, "out"]
    if how == "renamed":
        names = ["entry", None, "dense_7", None, "exit"]
    if how == "automatic":
        names = [None] * 5
    layers = [k.layers.Dense(WIDTH, "tanh", name=name) for name in names]
    i = k.Input((WIDTH,))
    x = i
    kept = layers[:-1] if how == "fewer" else layers
    for layer in kept:
        x = k.layers.Add()([x, layer(x)])
    found = several("d", kept)
    if twin and how == "exchanged":
        found["d0"], found["d2"] = found["d2"], found["d0"]
    elif twin in ("exported renamed", "exported automatic"):
        found = {"d1": found["d1"], "d3": found["d3"]}
    return Made(k.Model(i, x), found)
