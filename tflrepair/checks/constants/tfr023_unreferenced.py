"""Bytes in the file that nothing refers to.

What: buffers that no tensor and no metadata names, more than a hundredth of the file.

Why it matters: they are shipped and mapped for nothing. If a weight is missing elsewhere, these
bytes may be what is left of it.

On each runtime:

    LiteRT, tf.lite   never read; costs space on disk and in downloads
    TFLM              stands in flash memory like the rest of the file

Example: a tool that removed operators and left their weights behind.

How it is fixed: `tflrepair extract MODEL --signature NAME -o OUT.tflite` writes a signature
with only what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.format import schema
from tflrepair.wording import megabytes, plural

_LEAST = 10_000  # bytes


@check("TFR023", Severity.INFO, Needs.TABLES)
def unreferenced(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    used = {buffer for _, buffer in model.metadata}
    used.update(model.root.numbers(schema.Model.METADATA_BUFFER))
    for subgraph in model.subgraphs:
        used.update(subgraph.tensor_columns.buffers)
    unused = (model.buffer(n) for n in range(model.buffer_count) if n not in used)
    left = [row for row in unused if row.length]
    waste = sum(row.length for row in left)
    if waste > max(_LEAST, model.size // 100):
        yield Found(
            f"{megabytes(waste)} in {plural(len(left), 'buffer')} belong to no tensor and no "
            "metadata",
            "leave them out: tflrepair extract MODEL --signature NAME -o OUT.tflite",
            Location(buffer=left[0].index),
        )
