"""Weights from files and objects, and matching them to a model's variables."""

from tflrepair.weights.base import Source, Target, Weight
from tflrepair.weights.frozen import kernels_of
from tflrepair.weights.match import match
from tflrepair.weights.open import open_weights
from tflrepair.weights.table import MatchTable, Problem, Row
from tflrepair.weights.targets import targets_of

__all__ = [
    "MatchTable",
    "Problem",
    "Row",
    "Source",
    "Target",
    "Weight",
    "kernels_of",
    "match",
    "open_weights",
    "targets_of",
]
