"""What training showed, for people, and as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from tflrepair.commands.train_result import TrainResult
from tflrepair.errors import UnsupportedError
from tflrepair.report.contract.small import TrainItem
from tflrepair.report.style import Style, safe
from tflrepair.wording import plural

_MARKS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def lines(result: TrainResult, style: Style) -> list[str]:
    losses, count = result.losses, len(result.losses)
    middle = sorted(result.seconds)[count // 2] * 1000
    rows = [
        f"{safe(result.model)}: {plural(count, 'step')} of {safe(result.signature)}, batch "
        f"{result.batch}, "
        f"{middle:.3g} ms a step",
        f"  loss {losses[0]:.6g} -> {losses[-1]:.6g}",
    ]
    if result.finite:
        rows.append("  " + curve(losses))
    if not result.finite:
        first = next(n for n, loss in enumerate(losses, 1) if not abs(loss) < float("inf"))
        rows.append(style(f"The loss is {losses[first - 1]} from step {first} on.", "red"))
        rows.append(f"  {safe(result.advice)}")
    elif result.ok:
        rows.append(style("It trains.", "green"))
    else:
        rows.append(
            style(
                f"The loss does not fall: {result.begins:.6g} over the first steps, "
                f"{result.ends:.6g} over the last.",
                "yellow",
            )
        )
    if result.out is not None:
        rows.append(f"written: {safe(result.out)}, with the trained values as initial values")
    return rows


def curve(losses: Sequence[float]) -> str:
    """The losses as a row of blocks, means of neighbours where there are many."""
    count = min(len(losses), _WIDTH)
    parts = [
        losses[n * len(losses) // count : (n + 1) * len(losses) // count] for n in range(count)
    ]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    if high == low:
        return _MARKS[0] * count
    return "".join(_MARKS[int((mean - low) / (high - low) * (len(_MARKS) - 1))] for mean in means)


def check_picture() -> None:
    """Find out before a training whether ``picture`` can draw it.

    Raises:
        UnsupportedError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UnsupportedError(
            "matplotlib, which draws the plot, is not installed",
            hint="pip install 'tflrepair[plot]'",
        )


def picture(result: TrainResult) -> bytes:
    """The loss over the steps, as a PNG. Raises as ``check_picture``."""
    check_picture()
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(6, 4), dpi=150)
    axes = figure.add_subplot()
    axes.plot(range(1, len(result.losses) + 1), result.losses)
    axes.set(xlabel="step", ylabel="loss", title=f"{result.signature}, batch {result.batch}")
    axes.grid(alpha=0.3)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight")
    return stream.getvalue()


def item(result: TrainResult) -> TrainItem:
    """The same as data."""
    return {
        "model": result.model,
        "signature": result.signature,
        "batch": result.batch,
        "losses": [loss if abs(loss) < float("inf") else None for loss in result.losses],
        "seconds": list(result.seconds),
        "ok": result.ok,
        "out": result.out,
    }
