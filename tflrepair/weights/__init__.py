"""Weights from files and objects, and matching them to a model's variables.

The child processes that read files import this package, too, so that it loads nothing by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflrepair.weights.constants.offered import has_constants, offer, proven
    from tflrepair.weights.constants.proof import proofs_of
    from tflrepair.weights.matching.match import match
    from tflrepair.weights.model_facts.kernels import kernels_of
    from tflrepair.weights.model_facts.targets import targets_of
    from tflrepair.weights.readers.open import open_weights
    from tflrepair.weights.types.match_table import MatchTable, Problem, Row
    from tflrepair.weights.types.weight import Source, Target, Weight

_HOMES = {
    "MatchTable": "tflrepair.weights.types.match_table",
    "Problem": "tflrepair.weights.types.match_table",
    "Row": "tflrepair.weights.types.match_table",
    "Source": "tflrepair.weights.types.weight",
    "Target": "tflrepair.weights.types.weight",
    "Weight": "tflrepair.weights.types.weight",
    "has_constants": "tflrepair.weights.constants.offered",
    "kernels_of": "tflrepair.weights.model_facts.kernels",
    "match": "tflrepair.weights.matching.match",
    "offer": "tflrepair.weights.constants.offered",
    "open_weights": "tflrepair.weights.readers.open",
    "proofs_of": "tflrepair.weights.constants.proof",
    "proven": "tflrepair.weights.constants.offered",
    "targets_of": "tflrepair.weights.model_facts.targets",
}

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


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'tflrepair.weights' has no attribute {name!r}")
