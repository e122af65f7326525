"""Finds out what is wrong inside a .tflite file and repairs it.

    >>> import tflrepair
    >>> result = tflrepair.scan("model.tflite")
    >>> result.ok
    False
    >>> tflrepair.fix("model.tflite", ["w.weights.h5"], sets={"adam/learning_rate": "1e-4"})

What is named here is the whole public API. Importing it is cheap; numpy and the rest are loaded
by the functions that need them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflrepair.errors import TflRepairError

if TYPE_CHECKING:
    from tflrepair.commands.add_state import StateResult, add_state
    from tflrepair.commands.convert import convert
    from tflrepair.commands.fix.fix import fix
    from tflrepair.commands.fix.result import FixResult
    from tflrepair.commands.scan import ScanResult, scan
    from tflrepair.commands.state import load_state, save_state
    from tflrepair.commands.train import train
    from tflrepair.commands.train_result import TrainResult
    from tflrepair.commands.verify import VerifyReport, verify
    from tflrepair.findings import Finding
    from tflrepair.graph.model import Model, load

__version__ = "0.1.0"

_HOMES = {
    "Finding": "tflrepair.findings",
    "FixResult": "tflrepair.commands.fix.result",
    "Model": "tflrepair.graph.model",
    "ScanResult": "tflrepair.commands.scan",
    "StateResult": "tflrepair.commands.add_state",
    "TrainResult": "tflrepair.commands.train_result",
    "VerifyReport": "tflrepair.commands.verify",
    "add_state": "tflrepair.commands.add_state",
    "convert": "tflrepair.commands.convert",
    "fix": "tflrepair.commands.fix.fix",
    "load": "tflrepair.graph.model",
    "load_state": "tflrepair.commands.state",
    "save_state": "tflrepair.commands.state",
    "scan": "tflrepair.commands.scan",
    "train": "tflrepair.commands.train",
    "verify": "tflrepair.commands.verify",
}

__all__ = [
    "Finding",
    "FixResult",
    "Model",
    "ScanResult",
    "StateResult",
    "TflRepairError",
    "TrainResult",
    "VerifyReport",
    "add_state",
    "convert",
    "fix",
    "load",
    "load_state",
    "save_state",
    "scan",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'tflrepair' has no attribute {name!r}")
