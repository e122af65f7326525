"""Doubts about a match that the user may accept by name (``--accept NAME``).

Only what leaves one reading, and speaks for no other one, can be accepted. Evidence against a
match (another order, another architecture) cannot: ``--map`` says what is right then.
"""

from __future__ import annotations

from tflrepair.errors import UserError
from tflrepair.weights.types.remedies import remedy

UNUSED_LAYER = "unused-layer"
BY_NUMBER = "by-number"
MISSING_LAYER = "missing-layer"
UNKNOWN_CONSTANT = "unknown-constant"
FROZEN_LAYER = "frozen-layer"
RENAMED_LAYER = "renamed-layer"
REORDERED_LAYERS = "reordered-layers"
ADDED_ACTIVATION = "added-activation"

# name -> what who accepts it says
ACCEPTABLE = {
    UNUSED_LAYER: "a layer of the file that nothing else uses is not the one that is meant",
    BY_NUMBER: "the program still makes its layers in the order in which it made them for the file",
    MISSING_LAYER: "the layer that is missing in the file is not the one that is meant",
    UNKNOWN_CONSTANT: "a constant of the model that is in no file is not the one that is meant",
    FROZEN_LAYER: "a layer whose values stand in the model as a constant is used twice",
    RENAMED_LAYER: "a layer that has another name in the file was renamed",
    REORDERED_LAYERS: "the program makes its layers in another order now than for the file",
    ADDED_ACTIVATION: "the exported function adds an activation behind the model of the file, or "
    "leaves out the one that it ends with",
}


def check_accepted(names: tuple[str, ...]) -> None:
    """Raises UserError for a name that is no doubt of ours."""
    for name in names:
        if name not in ACCEPTABLE:
            raise UserError(
                f"--accept {name!r}: there is no such doubt",
                hint=remedy("acceptable", names=", ".join(ACCEPTABLE)),
            )
