"""Operators are newer than the runtime that the file asks for.

What: the metadata entry `min_runtime_version` names a runtime that lacks one of the operators, or
lacks it in this version.

Why it matters: an application that trusts the entry gives the model to a runtime that refuses it.

On each runtime:

    LiteRT, tf.lite   the entry is not read; a runtime without the version stops at loading with
                      "Didn't find op for builtin opcode 'X' version 'N'"
    TFLM              looks at neither the entry nor the version

Example: a tool that quantized or merged models, wrote newer operators and kept the old entry, as
TensorFlow's own quantizer does with `experimental_new_quantizer = False`.

How it is fixed: `tflrepair show MODEL` prints the entry. Require the runtime that is named here, or
convert again with a converter of the version that the application has.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check, names
from tflrepair.findings import Location, Severity
from tflrepair.wording import verb

_ENTRY = "min_runtime_version"


@check("TFR030", Severity.WARNING, Needs.TABLES)
def min_runtime(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    stated = next((buffer for name, buffer in model.metadata if name == _ENTRY), None)
    if stated is None or not 0 <= stated < model.buffer_count:
        return
    text = str(bytes(model.buffer_bytes(stated)[:64]), "utf-8", "replace").split("\0")[0]
    claimed = _numbers(text)
    if claimed is None:
        return
    from tflrepair.views.runtime_versions import RUNTIMES  # 190 operators; few files get here

    newer: dict[str, tuple[int, ...]] = {}
    for row in model.operator_codes:
        need = _numbers(RUNTIMES.get(row.code, {}).get(row.version, ""))
        if need is not None and need > claimed:
            newer[f"{row.name} {row.version}"] = need
    if newer:
        highest = ".".join(map(str, max(newer.values())))
        yield Found(
            f"min_runtime_version says {text}, but {names(list(newer))} "
            f"{verb(len(newer), 'needs', 'need')} {highest}",
            f"require runtime {highest}; or convert again with the converter of {text}",
            Location(buffer=stated),
        )


def _numbers(text: str) -> tuple[int, ...] | None:
    """``2.14.0`` as numbers; None if it is no version."""
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return tuple(int(part) for part in parts)
