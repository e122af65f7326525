"""Models that fold, and folding them."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as fb
from build import Build
from freeze_models import (
    initializer,
)
from grafted import bytes_of, fold, freeze, with_values

from tflrepair.commands.scan import scan
from tflrepair.graph.model import Model, from_bytes

ROOM = bytes(4096)  # behind a model: what comes out is smaller, so that it counts as a change


def folded(data: bytes) -> Model:
    after = from_bytes(fold(from_bytes(data)))
    assert scan(after).ok
    return after


def optimized(broken: bytes, values: Any) -> tuple[Model, Model]:
    """The graft, and the graft frozen and folded."""
    grafted = with_values(broken, values)
    return grafted, from_bytes(fold(from_bytes(bytes_of(freeze(grafted)))))


def packed(build: Build) -> bytes:
    """The build as it stands; ``Build.bytes`` would name the signatures anew."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(build.model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def metadata(build: Build, name: str, data: bytes) -> None:
    row, buffer = fb.MetadataT(), fb.BufferT()
    row.name, row.buffer, buffer.data = name, len(build.model.buffers), list(data)
    build.model.buffers.append(buffer)
    build.model.metadata = [*(build.model.metadata or []), row]


def transposed() -> Build:
    """x + transpose(transpose(w)), with a variable ``w`` that is never assigned."""
    build = Build()
    infer = build.sub("not main", "infer")
    infer.call_once(initializer(build, w=np.arange(6, dtype=np.float32).reshape(2, 3)))
    x, read = infer.input(shape=(2, 3)), infer.read(infer.handle("w"), shape=(2, 3))
    order = infer.tensor("INT32", (2,), np.array([1, 0], np.int32).tobytes())
    for shape in ((3, 2), (2, 3)):
        turned = infer.tensor(shape=shape)
        infer.op("TRANSPOSE", [read, order], [turned], fb.TransposeOptionsT())
        read = turned
    y = infer.tensor(shape=(2, 3))
    infer.op("ADD", [x, read], [y], fb.AddOptionsT())
    infer.output(y)
    return build
