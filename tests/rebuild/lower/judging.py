"""How a lowered training module is held against eager TensorFlow.

Loss curves of deep nets diverge whatever one does, so the first step's gradients are compared,
with those in float64 as the judge. A gradient may be off by a few times what eager float32 itself
is off by, or moves by when the input changes by 1e-7 of itself, or 1e-6 of its largest element.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from rebuild.common import values_of
from tflrepair.graph.model import load
from tflrepair.rebuild.lower.convert import Result, lower_flex
from tflrepair.rebuild.requests import NoFlex

RATE = 0.05  # of makers.training
DELEGATES = {
    "XNNPACK": OpResolverType.AUTO,
    "builtin kernels": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


@dataclass(frozen=True)
class Verdict:
    """``gradient``: the worst distance over what is allowed by nature; ``loss``: over five steps,
    ``infer``: before training; ``average``: of averaged weights after one step, as ``gradient``,
    which counts it, too; None where there are none; ``noise``: the median of what eager itself is
    off by. All without unit."""

    gradient: float
    where: str
    loss: float
    infer: float
    average: float | None = None
    noise: float = 0.0


def lowered(folder: Path, options: NoFlex | None = None) -> Result:
    """The broken model of ``folder`` with its values, without Flex."""
    model = load(folder / "model.tflite")
    return lower_flex(model, values_of(model, folder / "values.npz"), options or NoFlex())


def judge(data: bytes, eager: Any, delegate: str) -> Verdict:
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=DELEGATES[delegate])
    answer = interpreter.get_signature_runner("infer")(x=eager["x"])["output"]
    infer = float(np.abs(answer - eager["output"]).max() / np.abs(eager["output"]).max())
    train = interpreter.get_signature_runner("train")
    losses = [float(train(x=eager["x"], y=eager["y"])["loss"])]
    state = interpreter.get_signature_runner("get_weights")()
    worst, where = 0.0, ""
    floors = []
    for path in [key[4:] for key in eager if key.startswith("g64/")]:
        (name,) = [n for n in state if n.endswith(path.replace("/", "_") + "_momentum")]
        exact = eager[f"g64/{path}"]
        scale = max(float(np.abs(exact).max()), 1e-3)
        ours = float(np.abs(-state[name] / RATE - exact).max()) / scale
        theirs = float(np.abs(eager[f"g32/{path}"] - exact).max()) / scale
        floors.append(max(theirs, float(eager[f"noise/{path}"]) / scale))
        ratio = ours / max(floors[-1], 1e-6)
        if ratio > worst:
            worst, where = ratio, path
    average = None
    for path in [key[4:] for key in eager if key.startswith("a64/")]:
        (name,) = [n for n in state if n == path or n.endswith(f"/{path}")]
        ratio = _average(state[name], eager[f"a32/{path}"], eager[f"a64/{path}"])
        average = max(average or 0.0, ratio)
        worst, where = max((worst, where), (ratio, path))
    losses += [float(train(x=eager["x"], y=eager["y"])["loss"]) for _ in range(4)]
    loss = float(np.abs(np.array(losses) - eager["losses"]).max())
    return Verdict(worst, where, loss, infer, average, float(np.median(floors)))


def _average(ours: Any, theirs: Any, exact: Any) -> float:
    """How far from float64, over how far eager is, or a few roundings."""
    floor = max(float(np.abs(theirs - exact).max()), 3e-7 * float(np.abs(exact).max()))
    return float(np.abs(ours - exact).max()) / floor
