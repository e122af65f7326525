"""Weights from files and objects, and matching them to a model's variables."""

from tflrepair.weights.constants.offered import has_constants, offer, proven
from tflrepair.weights.constants.proof import proofs_of
from tflrepair.weights.matching.frozen import kernels_of
from tflrepair.weights.matching.match import match
from tflrepair.weights.model_facts.targets import targets_of
from tflrepair.weights.readers.open import open_weights
from tflrepair.weights.types.match_table import MatchTable, Problem, Row
from tflrepair.weights.types.weight import Source, Target, Weight

__all__ = [
    "MatchTable",
    "Problem",
    "Row",
    "Source",
    "Target",
    "Weight",
    "has_constants",
    "kernels_of",
    "match",
    "offer",
    "open_weights",
    "proofs_of",
    "proven",
    "targets_of",
]
