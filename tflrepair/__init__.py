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
    from tflrepair.checks.base import Finding
    from tflrepair.commands.convert import convert
    from tflrepair.commands.fix.fix import FixResult, fix
    from tflrepair.commands.scan import ScanResult, scan
    from tflrepair.commands.verify import VerifyReport, verify
    from tflrepair.graph.model import Model, load

__version__ = "0.1.0"

_HOMES = {
    "Finding": "tflrepair.checks.base",
    "FixResult": "tflrepair.commands.fix.fix",
    "Model": "tflrepair.graph.model",
    "ScanResult": "tflrepair.commands.scan",
    "VerifyReport": "tflrepair.commands.verify",
    "convert": "tflrepair.commands.convert",
    "fix": "tflrepair.commands.fix.fix",
    "load": "tflrepair.graph.model",
    "scan": "tflrepair.commands.scan",
    "verify": "tflrepair.commands.verify",
}

__all__ = [
    "Finding",
    "FixResult",
    "Model",
    "ScanResult",
    "TflRepairError",
    "VerifyReport",
    "convert",
    "fix",
    "load",
    "scan",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'tflrepair' has no attribute {name!r}")
