"""Values by resource, for models that the makers made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import Model


def values_of(model: Model, npz: Path) -> dict[ResourceId, Any]:
    """The true value of each of the model's variables."""
    with np.load(npz) as arrays:
        return {v.key: arrays[v.name] for v in analyse(model).variables if v.name in arrays}
