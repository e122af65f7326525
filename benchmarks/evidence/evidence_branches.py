"""Kinds C and S: Functional and Sequential models whose code changed, or did not."""

from __future__ import annotations

from typing import Any

from evidence_case import WIDTH, Keras, Made, case, parts, several


def _dense(k: Keras, f: str = "tanh", n: int = WIDTH, **more: Any) -> Any:
    return k.layers.Dense(n, f, **more)


def _two(k: Keras, changed: bool, first: str, second: str, merge: Any, shape: Any = None) -> Made:
    i = k.Input((WIDTH,))
    if changed:
        b = _dense(k, second)
        a = _dense(k, first)
    else:
        a, b = _dense(k, first), _dense(k, second)
    net = k.Model(i, _dense(k, "linear", 3)(merge([a(i), b(i)])))
    return Made(net, parts(a=a, b=b, head=net.layers[-1]))


@case("C")
def branches_of_other_activations(k: Keras, changed: bool) -> Made:
    return _two(k, changed, "tanh", "sigmoid", k.layers.Concatenate())


@case("C")
def branches_concatenated(k: Keras, changed: bool) -> Made:
    return _two(k, changed, "tanh", "tanh", k.layers.Concatenate())


@case("C")
def branches_subtracted(k: Keras, changed: bool) -> Made:
    return _two(k, changed, "relu", "relu", k.layers.Subtract())


@case("C")
def branches_of_the_same_program(k: Keras, changed: bool) -> Made:
    return _two(k, False, "tanh", "tanh", k.layers.Concatenate())


@case("C")
def embeddings_in_another_order(k: Keras, changed: bool) -> Made:
    i = k.Input((4,), dtype="int32")
    if changed:
        q = k.layers.Embedding(9, WIDTH)
        p = k.layers.Embedding(9, WIDTH)
    else:
        p, q = k.layers.Embedding(9, WIDTH), k.layers.Embedding(9, WIDTH)
    x = k.layers.Subtract()([p(i), q(i)])
    net = k.Model(i, _dense(k, "linear", 2)(k.layers.Flatten()(x)))
    return Made(net, parts(p=p, q=q, head=net.layers[-1]), shape=(4,), dtype="int32")


@case("C")
def chain_made_backwards(k: Keras, changed: bool) -> Made:
    layers = [_dense(k) for _ in range(4)]
    used = layers[::-1] if changed else layers
    x = i = k.Input((WIDTH,))
    for layer in used:
        x = layer(x)
    return Made(k.Model(i, x), several("d", used))


@case("C")
def chain_of_convolutions_made_otherwise(k: Keras, changed: bool) -> Made:
    layers = [k.layers.Conv2D(4, 3, padding="same", activation="relu") for _ in range(3)]
    norms = [k.layers.BatchNormalization() for _ in range(3)]
    if changed:
        layers, norms = [layers[n] for n in (1, 2, 0)], norms[::-1]
    x = i = k.Input((6, 6, 4))
    for layer, norm in zip(layers, norms, strict=True):
        x = norm(layer(x))
    net = k.Model(i, x)
    return Made(net, {**several("c", layers), **several("n", norms)}, shape=(6, 6, 4))


@case("C")
def strides_tell(k: Keras, changed: bool) -> Made:
    i = k.Input((8, 8, 4))

    def a() -> Any:
        return k.layers.Conv2D(4, 3, strides=2, padding="same")

    def b() -> Any:
        return k.layers.Conv2D(4, 3, dilation_rate=2, padding="same")

    second, first = (b(), a()) if changed else (a(), b())[::-1]
    x = k.layers.Concatenate()([k.layers.Flatten()(first(i)), k.layers.Flatten()(second(i))])
    net = k.Model(i, _dense(k, "linear", 2)(x))
    return Made(net, parts(a=first, b=second, head=net.layers[-1]), shape=(8, 8, 4))


@case("C")
def outputs_in_another_order(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    x = _dense(k)
    if changed:
        right = _dense(k, "linear")
        left = _dense(k, "linear")
    else:
        left, right = _dense(k, "linear"), _dense(k, "linear")
    h = x(i)
    net = k.Model(i, [left(h), right(h)])
    return Made(net, parts(x=x, left=left, right=right))


@case("C")
def residual_blocks_reordered(k: Keras, changed: bool) -> Made:
    x = i = k.Input((WIDTH,))
    made: dict[str, Any] = {}
    for n in range(3):
        if changed:
            out, inner = _dense(k, "linear"), _dense(k, "relu")
        else:
            inner, out = _dense(k, "relu"), _dense(k, "linear")
        x = k.layers.Add()([x, out(inner(x))])
        made |= parts(**{f"in{n}": inner, f"out{n}": out})
    return Made(k.Model(i, x), made)


@case("C")
def towers_in_another_order(k: Keras, changed: bool) -> Made:
    def tower() -> Any:
        i = k.Input((WIDTH,))
        return k.Model(i, _dense(k)(_dense(k)(i)))

    if changed:
        item = tower()
        user = tower()
    else:
        user, item = tower(), tower()
    i = k.Input((WIDTH,))
    net = k.Model(i, k.layers.Subtract()([user(i), item(i)]))
    made = {**several("user", user.layers[1:]), **several("item", item.layers[1:])}
    return Made(net, made)


@case("C")
def sequential_blocks_made_otherwise(k: Keras, changed: bool) -> Made:
    def block() -> Any:
        return k.Sequential([k.Input((WIDTH,)), _dense(k), _dense(k, "relu")])

    blocks = [block() for _ in range(3)]
    if changed:
        blocks = [blocks[2], blocks[0], blocks[1]]
    net = k.Sequential([k.Input((WIDTH,)), *blocks, _dense(k, "linear", 2)])
    made: dict[str, Any] = {}
    for n, b in enumerate(blocks):
        made |= several(f"b{n}_", b.layers)
    return Made(net, {**made, **parts(head=net.layers[-1])})


@case("C")
def attention_made_otherwise(k: Keras, changed: bool) -> Made:
    x = i = k.Input((4, WIDTH))
    norms = [k.layers.LayerNormalization() for _ in range(2)]
    if changed:
        norms = norms[::-1]
    attend = k.layers.MultiHeadAttention(2, 3)
    x = norms[0](k.layers.Add()([x, attend(x, x)]))
    up = _dense(k, "relu")
    x = norms[1](k.layers.Add()([x, up(x)]))
    net = k.Model(i, x)
    return Made(net, parts(n0=norms[0], n1=norms[1], up=up, attend=attend), shape=(4, WIDTH))


@case("C")
def recurrent_made_otherwise(k: Keras, changed: bool) -> Made:
    first, second = (k.layers.GRU(WIDTH, return_sequences=True) for _ in range(2))
    if changed:
        first, second = second, first
    i = k.Input((4, WIDTH))
    net = k.Model(i, second(first(i)))
    return Made(net, parts(first=first, second=second), shape=(4, WIDTH), train=False)


@case("C")
def shared_layer_and_twin(k: Keras, changed: bool) -> Made:
    shared, other = (_dense(k) for _ in range(2))
    if changed:
        shared, other = other, shared
    i = k.Input((WIDTH,))
    net = k.Model(i, shared(other(shared(i))))
    return Made(net, parts(shared=shared, other=other))


@case("C")
def gate_and_value(k: Keras, changed: bool) -> Made:
    gate, value = _dense(k, "sigmoid"), None
    if changed:
        value = _dense(k, "linear")
        gate = _dense(k, "sigmoid")
    else:
        value = _dense(k, "linear")
    i = k.Input((WIDTH,))
    net = k.Model(i, k.layers.Multiply()([gate(i), value(i)]))
    return Made(net, parts(gate=gate, value=value))


@case("C")
def named_by_hand_like_keras(k: Keras, changed: bool) -> Made:
    """A3: `dense_1` given by hand beside automatic names, in one program only."""
    i = k.Input((WIDTH,))
    if changed:
        layers = [_dense(k), _dense(k), _dense(k)]
    else:
        layers = [_dense(k, name="dense_1"), _dense(k), _dense(k, name="dense_9")]
    x = i
    for layer in layers:
        x = layer(x)
    return Made(k.Model(i, x), several("d", layers))


@case("A")
def one_given_number(k: Keras, changed: bool) -> Made:
    """A3, the same code on both sides; its branches do not order it."""
    i = k.Input((WIDTH,))
    a, b, c = _dense(k), _dense(k, name="dense_2"), _dense(k)
    net = k.Model(i, k.layers.Concatenate()([b(i), a(i), c(i)]))
    return Made(net, parts(a=a, b=b, c=c))


@case("A")
def one_given_number_in_a_row(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    a, b, c = _dense(k), _dense(k, name="dense_2"), _dense(k)
    return Made(k.Model(i, c(b(a(i)))), parts(a=a, b=b, c=c))


@case("S")
def twelve_in_a_row(k: Keras, changed: bool) -> Made:
    layers = [_dense(k) for _ in range(12)]
    x = i = k.Input((WIDTH,))
    for layer in layers:
        x = layer(x)
    return Made(k.Model(i, x), several("d", layers))


@case("S")
def unnamed_everything(k: Keras, changed: bool) -> Made:
    i = k.Input((8, 8, 3))
    c1, c2 = k.layers.Conv2D(4, 3), k.layers.Conv2D(5, 3)
    n1, n2 = k.layers.BatchNormalization(), k.layers.BatchNormalization()
    x = n2(c2(n1(c1(i))))
    d = _dense(k, "softmax", 3)
    net = k.Model(i, d(k.layers.GlobalAveragePooling2D()(x)))
    return Made(net, parts(c1=c1, c2=c2, n1=n1, n2=n2, d=d), shape=(8, 8, 3))
