"""The models that are measured: the reported one, and made ones of any size."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from build import Build

ROOT = Path(__file__).resolve().parents[2]
ALIGNMENT = 1 << 14


def chain(operators: int) -> bytes:
    """Additions one after the other to a variable that nothing sets."""
    build = Build()
    main = build.sub("main", "run")
    value = main.read(main.handle("v"))
    for _ in range(operators):
        out = main.tensor()
        build.model.buffers.pop()
        main.table.tensors[out].buffer = 0
        main.op("ADD", [value, value], [out])
        value = out
    main.output(value)
    return build.bytes()


def variables(count: int) -> bytes:
    """Variables that nothing sets, of which the last is the output."""
    build = Build()
    main = build.sub("main", "run")
    value = [main.read(main.handle(f"layer_{number}/kernel")) for number in range(count)][-1]
    main.output(value)
    return build.bytes()


def signatures(count: int) -> bytes:
    """Signatures that each read a variable of their own and a common one."""
    build = Build()
    for number in range(count):
        main = build.sub(f"graph_{number}", f"run_{number}")
        out = main.tensor()
        reads = [main.read(main.handle(name)) for name in ("common", f"v_{number}")]
        main.op("ADD", reads, [out])
        main.output(out)
    return build.bytes()


def heavy(path: Path, size: int) -> None:
    """One unset variable, and a constant of ``size`` bytes outside the flatbuffer (sparse)."""
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
    os.truncate(path, ALIGNMENT + rows * 4096)
    with path.open("r+b") as stream:  # so that the constant is not all zeros
        stream.seek(ALIGNMENT)
        stream.write(np.arange(1024, dtype=np.float32).tobytes())
