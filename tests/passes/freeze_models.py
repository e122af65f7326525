"""Small models that freeze and fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as fb
from build import Build, Sub
from grafted import bytes_of, freeze

from tflrepair.analysis.context import AnalysisContext
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.freeze.freeze import Frozen, check_frozen

X = np.array([3.0, -5.0], np.float32)


W = np.array([0.5, 7.0], np.float32)


B = np.array([11.0, 13.0], np.float32)


def add(sub: Sub, a: int, b: int) -> int:
    out = sub.tensor()
    sub.op("ADD", [a, b], [out], fb.AddOptionsT())
    return out


def initializer(build: Build, **values: np.ndarray[Any, Any]) -> int:
    init = build.sub("init")
    for name, value in values.items():
        constant = init.tensor(shape=value.shape, data=value.tobytes())
        init.assign(init.handle(name), constant)
    return len(build.model.subgraphs) - 1


BRANCH = {"in0": X, "in1": np.array([True])}


def infer_and_train() -> Build:
    """``infer`` gives x + w + b, ``train`` assigns w."""
    build = Build()
    infer, train = build.sub("infer", "infer"), build.sub("train", "train")
    target = initializer(build, w=W, b=B)
    infer.call_once(target)
    x = infer.input()
    y = add(infer, x, infer.read(infer.handle("w")))
    infer.output(add(infer, y, infer.read(infer.handle("b"))))
    train.call_once(target)
    x = train.input()
    handle = train.handle("w")
    new = add(train, train.read(handle), add(train, x, train.read(train.handle("b"))))
    train.assign(handle, new)
    train.output(new)
    return build


def frozen(data: bytes) -> tuple[Frozen, Model]:
    """A freeze whose postcondition held and that a second freeze leaves alone."""
    result = freeze(from_bytes(data))
    after = from_bytes(bytes_of(result))
    assert after.size == result.size
    check_frozen(result.model, result.plan, AnalysisContext(after))
    again = freeze(after)
    assert not again.plan.changes and bytes_of(again) == bytes_of(result)
    return result, after


def passed_to_subgraphs() -> tuple[Build, Sub]:
    """w read in both branches of an IF and in the body of a WHILE that runs three times."""
    build = Build()
    main = build.sub("main", "infer")
    for name in ("then", "else"):
        branch = build.sub(name)
        handle, x = branch.input("RESOURCE", ()), branch.input()
        branch.output(add(branch, x, branch.read(handle)))
    condition, body = build.sub("condition"), build.sub("body")
    for sub in (condition, body):
        for kind, shape in (("INT32", ()), ("FLOAT32", (2,)), ("RESOURCE", ())):
            sub.input(kind, shape)
    less = condition.tensor("BOOL", ())
    three = condition.tensor("INT32", (), np.int32(3).tobytes())
    condition.op("LESS", [0, three], [less])
    condition.output(less)
    one = body.tensor("INT32", (), np.int32(1).tobytes())
    count = body.tensor("INT32", ())
    body.op("ADD", [0, one], [count], fb.AddOptionsT())
    for tensor in (count, add(body, 1, body.read(2)), 2):
        body.output(tensor)
    main.call_once(initializer(build, w=W))
    x, handle = main.input(), main.handle("w")
    y = main.tensor()
    options = fb.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
    main.op("IF", [main.input("BOOL", (1,)), handle, x], [y], options)
    zero = main.tensor("INT32", (), np.int32(0).tobytes())
    outs = [main.tensor("INT32", ()), main.tensor(), main.tensor("RESOURCE", ())]
    main.loop(3, 4, [zero, y, handle], outs)
    main.output(outs[1])
    return build, body
