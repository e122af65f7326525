"""More architectures of ``evidence_round``: trained by several optimizers, with averages, loops."""

from __future__ import annotations

from typing import Any

from evidence_case import WIDTH, Keras, Made, parts, several
from evidence_round import dense, made_in, variants


def _several_optimizers(k: Keras) -> Any:
    """Adam for what is updated first, SGD with momentum for the rest."""
    import tensorflow as tf

    class Several(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = k.optimizers.Adam(1e-3)
            self.rest = k.optimizers.SGD(1e-3, momentum=0.9)

        def build(self, variables: Any) -> None:
            self.first.build(variables[:2])
            self.rest.build(variables[2:])

        def apply_gradients(self, pairs: Any) -> None:
            self.rest.apply_gradients(pairs[2:])
            self.first.apply_gradients(pairs[:2])

    return Several()


@variants(("more",), same="S", reordered="C", more="B", less="B")
def several_optimizers(k: Keras, how: str, twin: str = "") -> Made:
    """Two layers alike, joined; the twin joins the first one and what was an output of its own."""
    order = (2, 0, 1) if how == "reordered" else (0, 1, 2)
    body, left, right = made_in(order, dense(k), dense(k), dense(k))
    i = k.Input((WIDTH,))
    x = body(i)
    y = left(x) if how == "less" else k.layers.Concatenate()([left(x), right(x)])
    third = dense(k)()
    outputs = [y, third(x)] if how == "more" else y
    found = parts(body=body, left=left) | ({} if how == "less" else parts(right=right))
    found |= parts(right=third) if twin and how == "more" else {}
    return Made(
        k.Model(i, outputs), found, optimizer=None if how else _several_optimizers
    )  # fmt: skip


@variants(same="S", reordered="C", student="B", reused="B")
def student_and_teacher(k: Keras, how: str) -> Made:
    """Two models of one build, the second one not trained, under names of their own."""

    def net(name: str) -> tuple[Any, list[Any]]:
        layers = [dense(k)(), dense(k, None)()]
        j = k.Input((WIDTH,))
        return k.Model(j, layers[1](layers[0](j)), name=name), layers

    order = (1, 0) if how == "reordered" else (0, 1)
    (student, s), (teacher, t) = made_in(order, lambda: net("student"), lambda: net("teacher"))
    teacher.trainable = False
    i = k.Input((WIDTH,))
    if how == "student":
        return Made(student, several("s", s))
    if how == "reused":
        return Made(k.Model(i, student(student(i))), several("s", s))
    both = k.Model(i, k.layers.Subtract()([student(i), teacher(i)]))
    return Made(
        both, several("s", s) | several("t", t), trained=student.trainable_variables,
        optimizer=(lambda k: k.optimizers.Adam(1e-3, use_ema=True)) if not how else None,
    )  # fmt: skip


@variants(("reordered",), same="S", reordered="C", untied="B", positions_only="B")
def tied_embedding(k: Keras, how: str, twin: str = "") -> Made:
    """Tokens and positions in tables of one shape; the first one is the output's kernel, too.

    The twin's program always made the tokens first, and has exchanged the two summands.
    """

    def table() -> Any:
        return k.layers.Embedding(WIDTH, WIDTH)

    tokens, places = made_in((1, 0) if how == "reordered" and not twin else (0, 1), table, table)
    i = k.Input((4,), dtype="int32")
    summands = (places, tokens) if twin == "saved" else (tokens, places)
    x = places(i) if how == "positions_only" else k.layers.Add()([t(i) for t in summands])
    hidden = dense(k)()
    x = hidden(x)
    found = parts(places=places, hidden=hidden)
    if how != "positions_only":
        found |= parts(tokens=tokens)
    if how == "untied":
        x = k.layers.Dense(WIDTH, use_bias=False)(x)
    net = k.Model(i, x)
    tied = k.ops.transpose if hasattr(k.ops, "transpose") else None
    run = (lambda: lambda v: k.ops.matmul(net(v), tied(tokens.embeddings))) if tied else None
    return Made(net, found, run=None if how else run, shape=(4,), dtype="int32")


@variants(same="S", reordered="C", cells_exchanged="B", shorter="B")
def recurrent_and_pointwise(k: Keras, how: str) -> Made:
    """Two bidirectional layers, a recurrent one of cells, a Dense over time."""

    def both() -> Any:
        return k.layers.Bidirectional(k.layers.GRU(WIDTH, return_sequences=True), merge_mode="ave")

    def cells() -> Any:
        kinds = [k.layers.SimpleRNNCell(WIDTH), k.layers.GRUCell(WIDTH)]
        return k.layers.RNN(kinds[::-1] if how == "cells_exchanged" else kinds)

    order = (2, 1, 0) if how == "reordered" else (0, 1, 2)
    one, two, last = made_in(order, both, both, cells)
    i = k.Input((3, WIDTH))
    x = one(i)
    found = parts(one=one)
    if how != "shorter":
        x = two(x)
        found |= parts(two=two)
    net = k.Model(i, last(x))
    name = "other" if how == "cells_exchanged" else "last"
    return Made(net, found | {name: list(last.weights)}, shape=(3, WIDTH), train=False)


@variants(
    ("same", "backwards", "gate_first", "five"),
    same="S", backwards="C", gate_first="C", five="B", three="B",
)  # fmt: skip
def experts(k: Keras, how: str, twin: str = "") -> Made:
    """A layer of somebody's own with a list of experts of one shape and a gate.

    The twin's program called its list from the end when it saved.
    """
    count = {"five": 5, "three": 3}.get(how, 4)

    class Experts(k.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            if how == "gate_first":
                self.gate = k.layers.Dense(WIDTH, "sigmoid")
            rows = [dense(k)() for _ in range(count)]
            self.experts = rows[::-1] if how == "backwards" else rows
            if how != "gate_first":
                self.gate = k.layers.Dense(WIDTH, "sigmoid")

        def call(self, x: Any) -> Any:
            gate, out = self.gate(x), x
            for n, expert in enumerate(self.called()):
                out = out + gate[:, n : n + 1] * expert(x)
            return out

        def called(self) -> list[Any]:
            return list(self.experts)[:: -1 if twin == "saved" else 1]

    i = k.Input((WIDTH,))
    layer = Experts()
    net = k.Model(i, layer(i))
    kept = layer.called()[:4]
    return Made(net, several("e", kept) | parts(gate=layer.gate))
