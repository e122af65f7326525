"""Giants: small graphs over gigabytes that a sparse file holds for nothing, and endless graphs."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub

ROW = 1024  # floats in a row of the large table
ALIGNMENT = 4096


def _finish(sub: Sub, values: list[int]) -> None:
    """The sum of two-element tensors as the output."""
    total = values[0]
    for value in values[1:]:
        out = sub.tensor()
        sub.op("ADD", [total, value], [out], fb.AddOptionsT())
        total = out
    sub.output(total)


def gather(path: Path, size: int) -> None:
    """``size`` bytes of constants outside the flatbuffer, and one variable without a value.

    It answers table[index] + v; row 7 of the table is all 0.5, the last row all 0.25.
    """
    rows = size // (4 * ROW)
    build = Build()
    main = build.sub("main", "run")
    index = main.input("INT32", (1,))
    table = main.tensor("FLOAT32", (rows, ROW))
    build.model.buffers[-1].offset = ALIGNMENT * 4
    build.model.buffers[-1].size = rows * ROW * 4
    row = main.tensor("FLOAT32", (1, ROW))
    main.op("GATHER", [table, index], [row], fb.GatherOptionsT())
    out = main.tensor("FLOAT32", (1, ROW))
    variable = main.read(main.handle("v"), (1, ROW))
    main.op("ADD", [row, variable], [out], fb.AddOptionsT())
    main.output(out)
    data = build.bytes()
    assert len(data) < ALIGNMENT * 4
    with path.open("wb") as stream:
        stream.write(data)
        stream.truncate(ALIGNMENT * 4 + rows * ROW * 4)
        for number, value in ((7, 0.5), (rows - 1, 0.25)):
            stream.seek(ALIGNMENT * 4 + number * ROW * 4)
            stream.write(np.full(ROW, value, np.float32).tobytes())


def large_variables(path: Path, count: int = 4, size: int = 700_000_000) -> None:
    """Variables of 700 MB without a value, of which one element is read."""
    build = Build()
    main = build.sub("main", "run")
    parts = []
    for number in range(count):
        whole = main.read(main.handle(f"v{number}"), (size // 4,))
        begin = main.tensor("INT32", (1,), np.array([0], np.int32).tobytes())
        length = main.tensor("INT32", (1,), np.array([2], np.int32).tobytes())
        part = main.tensor()
        main.op("SLICE", [whole, begin, length], [part], fb.SliceOptionsT())
        parts.append(part)
    _finish(main, parts)
    path.write_bytes(build.bytes())


def operators(path: Path, count: int = 100_000) -> None:
    """One variable and an input, added up, then a chain that leaves the sum as it is."""
    build = Build()
    main = build.sub("main", "run")
    value = main.tensor()
    main.op("ADD", [main.read(main.handle("v")), main.input()], [value], fb.AddOptionsT())
    for _ in range(count - 1):
        out = main.tensor()
        build.model.buffers.pop()
        main.table.tensors[out].buffer = 0
        main.op("MAXIMUM", [value, value], [out], fb.MaximumMinimumOptionsT())
        value = out
    main.output(value)
    path.write_bytes(build.bytes())


def variables(path: Path, count: int = 10_000) -> None:
    build = Build()
    main = build.sub("main", "run")
    _finish(main, [main.read(main.handle(f"layer_{n}/kernel")) for n in range(count)])
    path.write_bytes(build.bytes())


def subgraphs(path: Path, count: int = 500) -> None:
    """Signatures that each read their own variable and a common one."""
    build = Build()
    for number in range(count):
        main = build.sub(f"graph_{number}", f"run_{number}")
        _finish(main, [main.read(main.handle(n)) for n in ("common", f"v_{number}")])
    path.write_bytes(build.bytes())


def types(path: Path) -> None:
    """A float16 and a bfloat16 variable."""
    build = Build()
    main = build.sub("main", "run")
    for kind in ("FLOAT16", "BFLOAT16"):
        out = main.tensor(kind, (2,))
        main.op("READ_VARIABLE", [main.handle(kind.lower())], [out])
        shown = main.tensor()  # LiteRT's Python binding hands out no bfloat16
        main.op("CAST", [out], [shown], fb.CastOptionsT())
        main.output(shown)
    path.write_bytes(build.bytes())


def appended_zip(path: Path) -> None:
    """TFLite metadata's associated files: a ZIP behind the flatbuffer."""
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    build = Build()
    main = build.sub("main", "run")
    main.output(main.read(main.handle("v")))
    path.write_bytes(build.bytes() + large.getvalue())


def metadata(path: Path) -> None:
    """Debug metadata of 8 MB, and groups of external buffers where the schema has them."""
    build = Build()
    main = build.sub("main", "run")
    main.output(main.read(main.handle("v")))
    row = fb.MetadataT()
    row.name, row.buffer = "debug_metadata", len(build.model.buffers)
    build.model.metadata = [row]
    buffer = fb.BufferT()
    buffer.data = np.zeros(8 << 20, np.uint8)
    build.model.buffers.append(buffer)
    if hasattr(fb, "ExternalBufferGroupT"):
        group = fb.ExternalBufferGroupT()
        group.name = "weights.bin"
        build.model.externalBufferGroups = [group]
        build.model.externalBuffers = []
    path.write_bytes(build.bytes())


def full_flatbuffer(path: Path, size: int = 2_147_483_580) -> None:
    """A flatbuffer that ends just before 2 GiB: tables in front, its constant to the end.

    It answers table[0:2] + v; the first 16 bytes of the table are 7.
    """
    data = _ending_in_a_table(16)
    at = data.rindex(b"\x10\x00\x00\x00" + b"\x07" * 16)
    length = size - at - 4
    data = _ending_in_a_table(length)
    data[at : at + 4] = length.to_bytes(4, "little")
    path.write_bytes(data)
    os.truncate(path, size)


def _ending_in_a_table(length: int) -> bytearray:
    """A model whose last bytes are the first 16 of a table of ``length`` bytes."""
    build = Build()
    main = build.sub("main", "run")
    table = main.tensor("UINT8", (length,), b"\x07" * 16)  # packed first, so it comes last
    begin = main.tensor("INT32", (1,), np.array([0], np.int32).tobytes())
    count = main.tensor("INT32", (1,), np.array([2], np.int32).tobytes())
    part, numbers, total = main.tensor("UINT8"), main.tensor(), main.tensor()
    main.op("SLICE", [table, begin, count], [part], fb.SliceOptionsT())
    main.op("CAST", [part], [numbers], fb.CastOptionsT())
    main.op("ADD", [numbers, main.read(main.handle("v"))], [total], fb.AddOptionsT())
    main.output(total)
    return bytearray(build.bytes())


GIANTS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "3 GB of constants": (lambda p: gather(p, 3_000_000_000), ("--set", "v=1")),
    "6 GB of constants": (lambda p: gather(p, 6_000_000_000), ("--set", "v=1")),
    "4 variables of 700 MB, --set 0": (large_variables, ("--set", "v*=0")),
    "4 variables of 700 MB, --set 1": (large_variables, ("--set", "v*=1")),
    "100,000 operators": (operators, ("--set", "v=0")),
    "10,000 variables": (variables, ("--set", "*=1")),
    "500 subgraphs": (subgraphs, ("--set", "*=1")),
    "float16 and bfloat16": (types, ("--set", "*=1.5")),
    "appended ZIP": (appended_zip, ("--set", "v=1")),
    "debug metadata, external buffer groups": (metadata, ("--set", "v=1")),
    "flatbuffer of 2,147,483,580 bytes": (full_flatbuffer, ("--set", "v=1")),
}
