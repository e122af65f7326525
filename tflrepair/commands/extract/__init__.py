"""Taking things out of a model: its weights into one file, or a part that runs alone."""

from __future__ import annotations

from tflrepair.commands.extract.part import ExtractedPart, extract_part
from tflrepair.commands.extract.weights import ExtractedWeights, extract_weights

__all__ = ["ExtractedPart", "ExtractedWeights", "extract_part", "extract_weights"]
