"""Kind D: optimizers whose constructor was given another start than the default.

The weights of the network tell themselves apart by shape; the question is what the optimizer's own
variables start with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidence_case import WIDTH, Keras, Made, case, parts

RATE = 1e-3


def _with(make: Callable[[Keras], Any]) -> Callable[[Keras, bool], Made]:
    def build(k: Keras, changed: bool) -> Made:
        i = k.Input((WIDTH,))
        one, two = k.layers.Dense(5, "tanh"), k.layers.Dense(2)
        net = k.Model(i, two(one(i)))
        return Made(net, parts(one=one, two=two), optimizer=make)

    return build


def _case(name: str, make: Callable[[Keras], Any]) -> None:
    build = _with(make)
    build.__name__ = name
    case("D")(build)


_case("adagrad_from_one", lambda k: k.optimizers.Adagrad(RATE, initial_accumulator_value=1.0))
_case("adagrad_of_the_default", lambda k: k.optimizers.Adagrad(RATE))
_case("ftrl_from_a_half", lambda k: k.optimizers.Ftrl(RATE, initial_accumulator_value=0.5))
_case("scaled_from_1024", lambda k: k.optimizers.LossScaleOptimizer(_adam(k), initial_scale=1024.0))
_case(
    "scaled_around_adagrad",
    lambda k: k.optimizers.LossScaleOptimizer(
        k.optimizers.Adagrad(RATE, initial_accumulator_value=0.3), initial_scale=64.0
    ),
)
_case("nadam", lambda k: k.optimizers.Nadam(RATE))
_case("averaged", lambda k: k.optimizers.Adam(RATE, use_ema=True))


def _adam(k: Keras) -> Any:
    return k.optimizers.Adam(RATE)
