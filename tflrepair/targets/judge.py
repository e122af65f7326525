"""Whether a runtime has every operator of a model.

``litert``: LiteRT's builtin kernels and their versions; no Flex and no other custom operator.
``tflm``: TensorFlow Lite for Microcontrollers, with the resolver to paste into the application.
``gpu``, ``nnapi``: kinds that the delegate may take. It also looks at types and shapes, so more may
stay on the CPU; what is named here surely does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from tflrepair.errors import UserError
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import CUSTOM, OperatorCode
from tflrepair.targets import tables


class Target(StrEnum):
    LITERT = "litert"
    TFLM = "tflm"
    GPU = "gpu"
    NNAPI = "nnapi"


@dataclass(frozen=True)
class Lacking:
    """A kind of operator that the target lacks: how many, the first of them, and why."""

    kind: str
    count: int
    first: OperatorRef
    why: str


@dataclass(frozen=True)
class TargetReport:
    """What ``target`` lacks. ``source`` says which file of which commit that is known from.

    ``resolver`` is C++ for tflm, empty else. ``notes`` are facts that no table can tell.
    """

    target: Target
    source: str
    lacking: tuple[Lacking, ...]
    resolver: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.lacking


@dataclass
class _Kind:
    code: OperatorCode
    count: int
    first: OperatorRef


def judge(model: Model, name: str) -> TargetReport:
    """Compare the model's operators with what the target has.

    Raises:
        UserError: a target that we have no table of.
    """
    try:
        target = Target(name)
    except ValueError:
        raise UserError(
            f"there is no table of the target {name!r}", hint=f"choose from {', '.join(Target)}"
        ) from None
    kinds = list(_kinds(model))
    why, source = _JUDGES[target]
    lacking = tuple(
        Lacking(kind.code.name, kind.count, kind.first, reason)
        for kind in kinds
        if (reason := why(kind.code))
    )
    resolver = tuple(_resolver(kinds)) if target is Target.TFLM else ()
    return TargetReport(target, source, lacking, resolver, tuple(_notes(model, target)))


def _kinds(model: Model) -> Iterator[_Kind]:
    """Each operator code that operators use, in the order of first use."""
    from tflrepair.format import schema

    found: dict[int, _Kind] = {}
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            index = operator.table.scalar(schema.Operator.OPCODE_INDEX, "I")
            if index in found:
                found[index].count += 1
            else:
                place = OperatorRef(subgraph.index, operator.index)
                found[index] = _Kind(model.operator_codes[index], 1, place)
    yield from found.values()


def _litert(code: OperatorCode) -> str:
    if code.name.startswith("Flex"):
        return "needs the Flex delegate, which no LiteRT package has"
    if code.code == CUSTOM:
        known = code.name in tables.LITERT_CUSTOM
        return "" if known else "a custom operator: the application must provide its kernel"
    low, high = tables.LITERT.get(code.name, (0, 0))
    if not high:
        return "has no kernel"
    if not low <= code.version <= high:
        return f"version {code.version}; the kernel goes up to {high}"
    return ""


def _tflm(code: OperatorCode) -> str:
    if code.name in tables.MICRO or code.name in tables.MICRO_CUSTOM:
        return ""
    if code.name.startswith("Flex"):
        return "TensorFlow's own operators do not run on microcontrollers"
    if code.code == CUSTOM:
        return "a custom operator: register its kernel with AddCustom"
    return "the resolver has no kernel for it"


def _gpu(code: OperatorCode) -> str:
    return "" if code.name in tables.GPU else "runs on the CPU: the delegate takes no such operator"


def _nnapi(code: OperatorCode) -> str:
    return (
        "" if code.name in tables.NNAPI else "runs on the CPU: the delegate takes no such operator"
    )


_JUDGES: dict[Target, tuple[Callable[[OperatorCode], str], str]] = {
    Target.LITERT: (_litert, tables.LITERT_SOURCE),
    Target.TFLM: (_tflm, tables.MICRO_SOURCE),
    Target.GPU: (_gpu, tables.GPU_SOURCE),
    Target.NNAPI: (_nnapi, tables.NNAPI_SOURCE),
}


def _resolver(kinds: list[_Kind]) -> Iterator[str]:
    """C++ that registers just what the model needs; a method once, whatever the versions."""
    methods = {
        tables.MICRO.get(kind.code.name) or tables.MICRO_CUSTOM.get(kind.code.name)
        for kind in kinds
    }
    rows = sorted(method for method in methods if method)
    missing = sorted(kind.code.name for kind in kinds if _tflm(kind.code))
    yield f"tflite::MicroMutableOpResolver<{max(1, len(rows))}> resolver;"
    yield from (f"resolver.{method}();" for method in rows)
    yield from (f"// missing: {name}" for name in missing)


def _notes(model: Model, target: Target) -> Iterator[str]:
    if target is Target.TFLM and len(model.signatures) > 1:
        yield "TFLM runs subgraph 0 only; other signatures cannot be called"
    if target is Target.GPU:
        yield "types and shapes may keep more on the CPU; this is about kinds of operators"
    if target is Target.NNAPI:
        yield (
            "types, shapes and the version of Android may keep more on the CPU; Android 15 "
            "deprecated NNAPI"
        )
