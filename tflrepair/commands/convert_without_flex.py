"""The second half of a conversion with ``flex=False``: TensorFlow operators in builtin ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import UserError
from tflrepair.graph.model import load
from tflrepair.leftovers import workspace

if TYPE_CHECKING:
    from tflrepair.rebuild.requests import NoFlex


def without_flex(data: bytes, options: NoFlex) -> tuple[bytes, tuple[str, ...]]:
    """Lowered, and held against TensorFlow's kernels; and what was done, in words."""
    from tflrepair.rebuild.lower.lower_pass import lower_and_compare

    with workspace() as place:
        path = place / "flex.tflite"
        path.write_bytes(data)
        lowered, notes = lower_and_compare(AnalysisContext(load(path)), options, place)
        return lowered, tuple(notes)


def no_flex(
    flex: bool,
    batch: int | None,
    state: str,
    keep_flex: Sequence[str],
    converter_options: Mapping[str, Any],
) -> NoFlex | None:
    """What is asked for; None where TensorFlow operators may stay.

    Raises:
        UserError: the options do not go together.
    """
    from tflrepair.passes.add_state.plan import TRAINED
    from tflrepair.rebuild.requests import NoFlex

    if flex:
        if batch is not None or state != TRAINED or keep_flex:
            raise UserError("batch, state and keep_flex belong to flex=False")
        return None
    if converter_options:
        raise UserError(
            f"option {next(iter(converter_options))!r} and flex=False do not go together: the "
            "model is converted twice, the second time to floats and with builtin operators only"
        )
    options = NoFlex(batch, state, tuple(keep_flex))
    options.check()
    return options
