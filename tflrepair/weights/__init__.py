"""Weights from files and objects, and matching them to a model's variables."""

from tflrepair.weights.base import Source, Target, Weight
from tflrepair.weights.frozen import kernels_of
from tflrepair.weights.match import match
from tflrepair.weights.open import open_weights
from tflrepair.weights.table import MatchTable, Problem, Row
from tflrepair.weights.targets import targets_of
from tflrepair.weights.tflite.offered import has_constants, offer, proven
from tflrepair.weights.tflite.proof import proofs_of

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
