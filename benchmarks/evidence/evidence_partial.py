"""Kind B: files that hold more, less or something else than the model; kind E: other names."""

from __future__ import annotations

from typing import Any

from evidence_case import WIDTH, Keras, Made, case, parts, several


def _chain(k: Keras, count: int, f: str = "tanh", **more: Any) -> list[Any]:
    return [k.layers.Dense(WIDTH, f, **more) for _ in range(count)]


def _through(layers: Any, x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


def _constant(layers: Any) -> Any:
    """The layers with their weights as constants, as a frozen part is exported."""
    import tensorflow as tf

    pairs = [[tf.constant(w.numpy()) for w in layer.weights] for layer in layers]

    def run(x: Any) -> Any:
        for kernel, bias in pairs:
            x = tf.tanh(tf.matmul(x, kernel) + bias)
        return x

    return run


@case("B")
def head_from_the_backbones_file(k: Keras, changed: bool) -> Made:
    """The file holds the backbone alone, which stands in the model as constants."""
    i = k.Input((WIDTH,))
    body = _chain(k, 2)
    if not changed:
        return Made(k.Model(i, _through(body, i)), several("body", body))
    head = _chain(k, 1)
    net = k.Model(i, _through([*body, *head], i))
    return Made(
        net, {**several("body", body), **several("head", head)},
        run=lambda: _after(_constant(body), head), trained=head[0].trainable_variables,
    )  # fmt: skip


def _after(first: Any, layers: Any) -> Any:
    return lambda x: _through(layers, first(x))


@case("B")
def one_frozen_twin(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 3)
    net = k.Model(i, _through(layers, i))
    return Made(
        net, several("d", layers), run=lambda: _after(_constant(layers[:1]), layers[1:]),
        trained=[v for d in layers[1:] for v in d.trainable_variables],
    )  # fmt: skip


@case("B")
def head_alone_from_another_model(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    if not changed:
        other = _chain(k, 1)
        return Made(k.Model(i, _through(other, i)), several("other", other))
    body, head = _chain(k, 1), _chain(k, 1)
    net = k.Model(i, _through([*body, *head], i))
    return Made(net, {**several("body", body), **several("head", head)})


@case("B")
def auxiliary_head(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    body = _chain(k, 1)
    x = _through(body, i)
    main, side = k.layers.Dense(4), k.layers.Dense(4)
    if changed:
        side(x)
        return Made(k.Model(i, main(x)), {**several("b", body), **parts(main=main)})
    return Made(k.Model(i, [main(x), side(x)]), {**several("b", body), **parts(main=main)})


@case("B")
def auxiliary_head_first(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    body = _chain(k, 1)
    x = _through(body, i)
    side, main = k.layers.Dense(4), k.layers.Dense(4)
    if changed:
        main = k.layers.Dense(4)
        return Made(k.Model(i, main(x)), {**several("b", body), **parts(main=main)})
    return Made(k.Model(i, [side(x), main(x)]), {**several("b", body), **parts(main=main)})


@case("B")
def one_layer_more_in_the_file(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 3 if changed else 4)
    net = k.Model(i, _through(layers, i))
    kept = layers if changed else [layers[0], layers[2], layers[3]]
    return Made(net, several("d", kept))


@case("B")
def one_layer_more_at_the_end(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 2 if changed else 3)
    return Made(k.Model(i, _through(layers, i)), several("d", layers[:2]))


@case("B")
def one_layer_more_at_the_start(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 2 if changed else 3)
    return Made(k.Model(i, _through(layers, i)), several("d", layers[-2:]))


@case("B")
def one_layer_less_in_the_file(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 4 if changed else 3)
    return Made(k.Model(i, _through(layers, i)), several("d", layers[:3]))


@case("B")
def encoder_of_a_whole(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    front, back = _chain(k, 2), _chain(k, 2)
    middle = _through(front, i)
    net = k.Model(i, _through(back, middle))
    part = k.Model(i, middle)
    return Made(
        net, several("f", front), run=lambda: part,
        trained=[v for d in front for v in d.trainable_variables],
    )  # fmt: skip


@case("B")
def decoder_of_a_whole(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    front, back = _chain(k, 2), _chain(k, 2)
    net = k.Model(i, _through(back, _through(front, i)))
    j = k.Input((WIDTH,))
    part = k.Model(j, _through(back, j))
    return Made(
        net, several("f", back), run=lambda: part,
        trained=[v for d in back for v in d.trainable_variables],
    )  # fmt: skip


@case("B")
def body_of_a_classifier(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    body, head = _chain(k, 2), k.layers.Dense(9)
    whole = k.Model(i, head(_through(body, i)))
    part = k.Model(i, _through(body, i))
    return Made(
        whole, several("b", body), run=lambda: part,
        trained=[v for d in body for v in d.trainable_variables],
    )  # fmt: skip


@case("B")
def another_file_altogether(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    layers = _chain(k, 2, "tanh" if changed else "relu")
    if not changed:
        x = k.layers.Add()([i, layers[1](layers[0](i))])
        return Made(k.Model(i, x), several("other", layers))
    return Made(k.Model(i, _through(layers, i)), several("d", layers))


@case("B")
def siamese_for_one_tower(k: Keras, changed: bool) -> Made:
    def tower() -> Any:
        i = k.Input((WIDTH,))
        return k.Model(i, _through(_chain(k, 2), i))

    user, item = tower(), tower()
    i = k.Input((WIDTH,))
    net = k.Model(i, k.layers.Subtract()([user(i), item(i)]))
    return Made(
        net, several("t", item.layers[1:]), run=lambda: item,
        trained=item.trainable_variables,
    )  # fmt: skip


@case("E")
def renamed_by_hand(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    names = ("enc", "mid", "out") if changed else ("first", "second", "third")
    layers = [k.layers.Dense(WIDTH, "tanh", name=name) for name in names]
    return Made(k.Model(i, _through(layers, i)), several("d", layers))


@case("E")
def names_that_differ_by_case(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    a, b = k.layers.Dense(WIDTH, name="Q"), k.layers.Dense(WIDTH, name="q")
    net = k.Model(i, k.layers.Subtract()([a(i), b(i)]))
    return Made(net, parts(a=a, b=b))


@case("E")
def given_names_in_another_order(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    if changed:
        b = k.layers.Dense(WIDTH, name="right")
        a = k.layers.Dense(WIDTH, name="left")
    else:
        a, b = k.layers.Dense(WIDTH, name="left"), k.layers.Dense(WIDTH, name="right")
    net = k.Model(i, k.layers.Subtract()([a(i), b(i)]))
    return Made(net, parts(a=a, b=b))
