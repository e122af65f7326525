"""Kinds A and C: layers and models of somebody's own."""

from __future__ import annotations

from typing import Any

from evidence_case import WIDTH, Keras, Made, case, parts, several


# fmt: off
def _affine(k: Keras, name: str = "Affine") -> Any:
    """gamma and beta, made the other way round than Keras makes them."""

    class Affine(k.layers.Layer):
        def build(self, shape: Any) -> None:
            self.beta = self.add_weight(shape=(shape[-1],), name="beta", initializer="zeros")
            self.gamma = self.add_weight(shape=(shape[-1],), name="gamma", initializer="ones")
            self.built = True

        def call(self, x: Any) -> Any:
            mean = k.ops.mean(x, -1, keepdims=True) if hasattr(k, "ops") else 0
            return (x - mean) * self.gamma + self.beta

    Affine.__name__ = name
    return Affine()
# fmt: on


def _vars(layer: Any, *names: str) -> list[Any]:
    return [getattr(layer, name) for name in names]


@case("A")
def beta_before_gamma(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    own, d = _affine(k), k.layers.Dense(WIDTH)
    return Made(k.Model(i, d(own(i))), {"own": _vars(own, "gamma", "beta"), "d": list(d.weights)})


@case("A")
def named_layer_normalization(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    own, d = _affine(k, "LayerNormalization"), k.layers.Dense(WIDTH)
    net = k.Model(i, d(own(i)))
    return Made(net, {"own": _vars(own, "gamma", "beta"), "d": list(d.weights)})


@case("A")
def own_norm_inside_a_block(k: Keras, changed: bool) -> Made:
    class Block(k.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.norm = _affine(k)
            self.d = k.layers.Dense(WIDTH)

        def build(self, shape: Any) -> None:
            self.norm.build(shape)
            self.d.build(shape)
            self.built = True

        def call(self, x: Any) -> Any:
            return self.d(self.norm(x))

    i = k.Input((WIDTH,))
    b = Block()
    net = k.Model(i, b(i))
    return Made(net, {"own": _vars(b.norm, "gamma", "beta"), "d": list(b.d.weights)})


@case("A")
def own_layer_normalization_inside_a_block(k: Keras, changed: bool) -> Made:
    class Block(k.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.norm = _affine(k, "LayerNormalization")

        def build(self, shape: Any) -> None:
            self.norm.build(shape)
            self.built = True

        def call(self, x: Any) -> Any:
            return self.norm(x)

    i = k.Input((WIDTH,))
    b = Block()
    net = k.Model(i, b(i))
    return Made(net, {"own": _vars(b.norm, "gamma", "beta")})


def _cell(k: Keras, name: str) -> Any:
    class Cell(k.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.state_size = self.output_size = WIDTH

        def build(self, shape: Any) -> None:
            size = (WIDTH, WIDTH)
            self.rk = self.add_weight(shape=size, name="recurrent_kernel")
            self.k = self.add_weight(shape=size, name="kernel")
            self.b = self.add_weight(shape=(WIDTH,), name="bias")
            self.built = True

        def call(self, x: Any, states: Any, training: Any = None) -> Any:
            h = k.ops.tanh(k.ops.matmul(x, self.k) + k.ops.matmul(states[0], self.rk) + self.b)
            return h, [h]

    Cell.__name__ = name
    return Cell()


@case("A")
def cell_of_ones_own(k: Keras, changed: bool) -> Made:
    cell = _cell(k, "Cell")
    i = k.Input((3, WIDTH))
    net = k.Model(i, k.layers.RNN(cell)(i))
    return Made(net, {"c": _vars(cell, "k", "rk", "b")}, shape=(3, WIDTH), train=False)


@case("A")
def cell_named_simple_rnn_cell(k: Keras, changed: bool) -> Made:
    cell = _cell(k, "SimpleRNNCell")
    i = k.Input((3, WIDTH))
    net = k.Model(i, k.layers.RNN(cell, unroll=True)(i))
    return Made(net, {"c": _vars(cell, "k", "rk", "b")}, shape=(3, WIDTH))


@case("A")
def unnamed_not_trainable_first(k: Keras, changed: bool) -> Made:
    class Own(k.layers.Layer):
        def build(self, shape: Any) -> None:
            self.s = self.add_weight(shape=(WIDTH,), trainable=False, initializer="ones")
            self.t = self.add_weight(shape=(WIDTH,), initializer="ones")
            self.built = True

        def call(self, x: Any) -> Any:
            return x * self.s + self.t

    i = k.Input((WIDTH,))
    own = Own()
    return Made(k.Model(i, own(i)), {"own": _vars(own, "s", "t")})


@case("A")
def named_not_trainable_first(k: Keras, changed: bool) -> Made:
    class Own(k.layers.Layer):
        def build(self, shape: Any) -> None:
            size = (WIDTH,)
            self.s = self.add_weight(shape=size, trainable=False, initializer="ones", name="mean")
            self.t = self.add_weight(shape=size, initializer="ones", name="offset")
            self.built = True

        def call(self, x: Any) -> Any:
            return x * self.s + self.t

    i = k.Input((WIDTH,))
    own = Own()
    return Made(k.Model(i, own(i)), {"own": _vars(own, "s", "t")})


@case("A")
def three_weights_of_one_shape(k: Keras, changed: bool) -> Made:
    class Own(k.layers.Layer):
        def build(self, shape: Any) -> None:
            for name in ("w", "a", "m"):
                self.add_own(name)
            self.built = True

        def add_own(self, name: str) -> None:
            setattr(self, name, self.add_weight(shape=(WIDTH, WIDTH), name=name))

        def call(self, x: Any) -> Any:
            return k.ops.matmul(k.ops.matmul(x, self.m), self.a) - k.ops.matmul(x, self.w)

    i = k.Input((WIDTH,))
    own = Own()
    return Made(k.Model(i, own(i)), {"own": _vars(own, "w", "a", "m")})


def attributes(k: Keras, order: tuple[str, ...], used: tuple[str, ...], model: bool) -> Any:
    base: Any = k.Model if model else k.layers.Layer

    class Net(base):
        def __init__(self) -> None:
            super().__init__()
            for name in order:
                setattr(self, name, k.layers.Dense(WIDTH, "tanh"))

        def call(self, x: Any) -> Any:
            for name in used:
                x = getattr(self, name)(x)
            return x

    return Net()


@case("C")
def attributes_in_another_order(k: Keras, changed: bool) -> Made:
    net = attributes(k, ("b", "a") if changed else ("a", "b"), ("a", "b"), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.a, b=net.b))


@case("C")
def attributes_were_in_another_order(k: Keras, changed: bool) -> Made:
    net = attributes(k, ("a", "b") if changed else ("b", "a"), ("a", "b"), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.a, b=net.b))


@case("C")
def attributes_with_words(k: Keras, changed: bool) -> Made:
    net = attributes(k, ("head", "stem") if changed else ("stem", "head"), ("stem", "head"), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.stem, b=net.head))


@case("C")
def attributes_with_words_before(k: Keras, changed: bool) -> Made:
    order = ("stem", "mid", "head") if changed else ("head", "stem", "mid")
    net = attributes(k, order, ("stem", "mid", "head"), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.stem, b=net.mid, c=net.head))


@case("C")
def parallel_attributes(k: Keras, changed: bool) -> Made:
    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            for name in ("right", "left") if changed else ("left", "right"):
                setattr(self, name, k.layers.Dense(WIDTH, "tanh"))

        def call(self, x: Any) -> Any:
            return self.left(x) - self.right(x)

    net = Net()
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(left=net.left, right=net.right))


@case("C")
def block_attributes_in_another_order(k: Keras, changed: bool) -> Made:
    i = k.Input((WIDTH,))
    order = ("down", "up") if changed else ("up", "down")
    blocks = [attributes(k, order, ("up", "down"), False) for _ in range(2)]
    net = k.Model(i, blocks[1](blocks[0](i)))
    made: dict[str, Any] = {}
    for n, b in enumerate(blocks):
        made |= parts(**{f"up{n}": b.up, f"down{n}": b.down})
    return Made(net, made)


@case("S")
def attributes_of_the_same_program(k: Keras, changed: bool) -> Made:
    net = attributes(k, ("one", "two", "three"), ("one", "two", "three"), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.one, b=net.two, c=net.three))


@case("C")
def functional_with_its_own_call(k: Keras, changed: bool) -> Made:
    class Net(k.Model):
        def __init__(self) -> None:
            first, second = k.layers.Dense(WIDTH, "tanh"), k.layers.Dense(WIDTH, "tanh")
            i = k.Input((WIDTH,))
            super().__init__(i, second(first(i)))
            self.first, self.second = first, second

        def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
            return self.first(self.second(x))

    net = Net()
    return Made(net, parts(a=net.first, b=net.second))


@case("C")
def lists_in_another_order(k: Keras, changed: bool) -> Made:
    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            made = [k.layers.Dense(WIDTH, "tanh") for _ in range(4)]
            self.rows = made[::-1] if changed else made

        def call(self, x: Any) -> Any:
            for layer in self.rows:
                x = layer(x)
            return x

    net = Net()
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, several("r", net.rows))
