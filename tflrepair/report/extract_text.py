"""What was extracted, for people and as data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tflrepair.commands.extract import ExtractedPart, ExtractedWeights
from tflrepair.report.contract.small import ExtractItem
from tflrepair.report.hints import pasteable
from tflrepair.report.style import safe
from tflrepair.wording import dimensions, grouped, megabytes, plural

_LIST = 12


def weights_lines(result: ExtractedWeights) -> Iterator[str]:
    variables = sum(row.is_variable for row in result.written)
    constants = len(result.written) - variables
    kinds_of = ((variables, "variable"), (constants, "constant"))
    parts = [plural(number, noun) for number, noun in kinds_of if number]
    yield f"written: {safe(result.path)}, {megabytes(result.size)}: {' and '.join(parts)}"
    widened = [row for row in result.written if row.stored != row.dtype]
    if widened:
        kinds = sorted({f"{row.dtype} as {row.stored}" for row in widened})
        yield f"  {len(widened)} widened without loss: {', '.join(kinds)}"
    reasons: dict[str, list[str]] = {}
    for row in result.left_out:
        reasons.setdefault(row.reason, []).append(safe(row.name))
    for reason, names in list(reasons.items())[:_LIST]:
        yield f"  left out {some(names)}: {safe(reason)}"
    if len(reasons) > _LIST:
        yield f"  and more, for {len(reasons) - _LIST} other reasons"
    if variables:
        command = f"tflrepair fix MODEL --replace --by-name -w {shlex.quote(result.path)}"
        yield f"  to put them back: {pasteable(command, result.model.path)}"


def some(names: list[str]) -> str:
    """``a, b, c and 43 more``"""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {grouped(more)} more" if more > 0 else "")


def weights_item(result: ExtractedWeights) -> ExtractItem:
    return {
        "ok": result.complete,
        "path": result.path,
        "size": result.size,
        "written": [
            {
                "name": row.name,
                "dtype": row.dtype,
                "stored": row.stored,
                "shape": list(row.shape),
                "nbytes": row.nbytes,
                "is_variable": row.is_variable,
            }
            for row in result.written
        ],
        "left_out": [
            {"name": row.name, "reason": row.reason, "is_variable": row.is_variable}
            for row in result.left_out
        ],
        "part": None,
    }


def part_lines(result: ExtractedPart) -> Iterator[str]:
    kept, whole = result.operators
    part = result.part
    yield (
        f"written: {safe(result.path)}, {megabytes(part.size)} (the whole: "
        f"{megabytes(part.model.size)}), {kept} of {plural(whole, 'operator')}, "
        f"{plural(len(part.kept.operators), 'subgraph')}"
    )
    graph = part.model.subgraph(part.kept.entry)
    if result.ports.key is not None:
        yield f"  signature {safe(result.ports.key)}"
    for side, pairs in (("in ", result.ports.inputs), ("out", result.ports.outputs)):
        for name, tensor in pairs[:_LIST]:
            row = graph.tensor(tensor)
            yield f"  {side} {safe(name)}  {row.dtype} {dimensions(row.shape)}"
    if result.beside:
        files = ", ".join(map(safe, result.beside))
        yield f"  weights of it are in {files}: put that beside it, as it is beside the whole"


def part_item(result: ExtractedPart) -> ExtractItem:
    kept, whole = result.operators
    return {
        "ok": True,
        "path": result.path,
        "size": result.part.size,
        "written": [],
        "left_out": [],
        "part": {
            "signature": result.ports.key,
            "operators": kept,
            "operators_of_whole": whole,
            "subgraphs": list(result.part.kept.operators),
            "inputs": [name for name, _ in result.ports.inputs],
            "outputs": [name for name, _ in result.ports.outputs],
            "beside": list(result.beside),
        },
    }
