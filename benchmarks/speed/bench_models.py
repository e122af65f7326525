"""The models that are measured: the reported one, and one with a constant of any size."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALIGNMENT = 1 << 14


def reported() -> Path:
    """The folder of the reported model and its weights, which TensorFlow makes once."""
    from conftest import made

    return made("reported")


def heavy(path: Path, size: int) -> None:
    """One unset variable, and a constant of ``size`` bytes outside the flatbuffer.

    It is not sparse: ``cp`` would not read the holes, and whoever copies a real model reads it.
    """
    import numpy as np
    from build import Build

    build = Build()
    main = build.sub("main", "run")
    index = main.input("INT32", (1,))
    rows = size // 4096
    table = main.tensor("FLOAT32", (rows, 1024))
    build.model.buffers[-1].offset, build.model.buffers[-1].size = ALIGNMENT, rows * 4096
    row = main.tensor("FLOAT32", (1, 1024))
    main.op("GATHER", [table, index], [row])
    out = main.tensor("FLOAT32", (1, 1024))
    main.op("ADD", [row, main.read(main.handle("v"), (1, 1024))], [out])
    main.output(out)
    path.write_bytes(build.bytes())
    values = np.arange(1024, dtype=np.float32).tobytes()
    os.truncate(path, ALIGNMENT)
    with path.open("ab") as stream:
        for start in range(0, rows, 4096):
            stream.write(values * min(4096, rows - start))


def operators(path: Path, count: int) -> None:
    """A chain of ``count`` operators over a variable that nothing sets."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from bench_read import large

    path.write_bytes(large(count))


if __name__ == "__main__":
    # A process of its own: what is imported to make a model is not memory of what is measured.
    sys.path.insert(0, str(ROOT / "tests"))
    if sys.argv[1] == "reported":
        print(reported())
    elif sys.argv[1] == "operators":
        operators(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        heavy(Path(sys.argv[1]), int(sys.argv[2]))
