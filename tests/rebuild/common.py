"""Values by resource, for models that the makers made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tflrepair.model import Model
from tflrepair.resources import Key
from tflrepair.variables import analyse


def values_of(model: Model, npz: Path) -> dict[Key, Any]:
    """The true value of each of the model's variables."""
    with np.load(npz) as arrays:
        return {v.key: arrays[v.name] for v in analyse(model).variables if v.name in arrays}
