"""Finds out what is wrong inside a .tflite file and repairs it.

    >>> import tflrepair
    >>> result = tflrepair.scan("model.tflite")
    >>> result.ok
    False
    >>> tflrepair.fix("model.tflite", "w.weights.h5", sets={"adam/learning_rate": "1e-4"})

What is named here is the whole public API. Importing it is cheap; numpy and the rest are loaded
by the functions that need them. A model is given as a path, as bytes or as a ``Model``. Every error
that these functions raise on purpose is a ``TflRepairError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflrepair.errors import TflRepairError

if TYPE_CHECKING:
    from tflrepair.commands.add_state import StateResult, add_state
    from tflrepair.commands.convert import convert
    from tflrepair.commands.diff import DiffResult, diff
    from tflrepair.commands.explain import explain
    from tflrepair.commands.extract import extract_part, extract_weights
    from tflrepair.commands.fix.fix import fix
    from tflrepair.commands.fix.result import FixResult
    from tflrepair.commands.scan import ScanResult, scan
    from tflrepair.commands.show import show
    from tflrepair.commands.state import load_state, save_state
    from tflrepair.commands.train import train
    from tflrepair.commands.train_result import TrainResult
    from tflrepair.commands.verify import VerifyReport, verify
    from tflrepair.findings import Finding
    from tflrepair.graph.model import Model, load
    from tflrepair.rebuild.requests import NoFlex, Origin

__version__ = "0.1.0"

_HOMES = {
    "DiffResult": "tflrepair.commands.diff",
    "Finding": "tflrepair.findings",
    "FixResult": "tflrepair.commands.fix.result",
    "Model": "tflrepair.graph.model",
    "NoFlex": "tflrepair.rebuild.requests",
    "Origin": "tflrepair.rebuild.requests",
    "ScanResult": "tflrepair.commands.scan",
    "StateResult": "tflrepair.commands.add_state",
    "TrainResult": "tflrepair.commands.train_result",
    "VerifyReport": "tflrepair.commands.verify",
    "add_state": "tflrepair.commands.add_state",
    "convert": "tflrepair.commands.convert",
    "diff": "tflrepair.commands.diff",
    "explain": "tflrepair.commands.explain",
    "extract_part": "tflrepair.commands.extract",
    "extract_weights": "tflrepair.commands.extract",
    "fix": "tflrepair.commands.fix.fix",
    "load": "tflrepair.graph.model",
    "load_state": "tflrepair.commands.state",
    "save_state": "tflrepair.commands.state",
    "scan": "tflrepair.commands.scan",
    "show": "tflrepair.commands.show",
    "train": "tflrepair.commands.train",
    "verify": "tflrepair.commands.verify",
}

__all__ = [
    "DiffResult",
    "Finding",
    "FixResult",
    "Model",
    "NoFlex",
    "Origin",
    "ScanResult",
    "StateResult",
    "TflRepairError",
    "TrainResult",
    "VerifyReport",
    "add_state",
    "convert",
    "diff",
    "explain",
    "extract_part",
    "extract_weights",
    "fix",
    "load",
    "load_state",
    "save_state",
    "scan",
    "show",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'tflrepair' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
