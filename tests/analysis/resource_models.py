"""What the tests of the analysis build their models from."""

from __future__ import annotations

from build import Build, Sub

from tflrepair.analysis.variables import Analysis, Variable, analyse
from tflrepair.graph.model import from_bytes

HALF = b"\x00\x00\x80\x3f" * 2


def judged(build: Build) -> Analysis:
    return analyse(from_bytes(build.bytes()))


def status(analysis: Analysis) -> dict[str, str]:
    return {v.name: v.status for v in analysis.variables}


def the(analysis: Analysis) -> Variable:
    (variable,) = analysis.variables
    return variable


def reader(build: Build, name: str = "w", signature: str = "infer") -> Sub:
    sub = build.sub(signature, signature)
    sub.output(sub.read(sub.handle(name)))
    return sub


def initializer(build: Build, name: str = "w") -> Sub:
    sub = build.sub("NoOp")
    sub.assign(sub.handle(name), sub.tensor(data=HALF))
    return sub
