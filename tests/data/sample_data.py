"""training.npz of the package's sample: flowers of three kinds, drawn by numpy alone.

    python tests/data/sample_data.py tflrepair/samples/training.npz

x [96, 4]: four measurements, normal around a centre of its kind; y [96, 3]: the kind, one-hot.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

CENTRES = np.array([[1.2, 0.4, -1.0, -0.8], [-0.2, -0.9, 0.5, 0.3], [-0.9, 0.6, 0.8, 1.1]])
EXAMPLES = 96


def make(out: Path) -> None:
    rng = np.random.default_rng(1936)
    kinds = rng.permutation(np.arange(EXAMPLES) % len(CENTRES))
    x = CENTRES[kinds] + rng.normal(0, 0.6, (EXAMPLES, 4))
    np.savez(out, x=x.astype(np.float32), y=np.eye(3, dtype=np.float32)[kinds])


if __name__ == "__main__":
    make(Path(sys.argv[1]))
