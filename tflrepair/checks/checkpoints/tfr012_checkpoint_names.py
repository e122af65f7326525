"""Two variables are saved or restored under one name.

What: a Save operator is given one name for several tensors, or one name is restored into several
variables.

Why it matters: `save` fails on the device ("Mismatching shapes: existing tensor = [1280], trying
to add name bias, shape = [62]", or "Overlapping slices" where the shapes agree), and a restore
would put one variable's value into another. It also fails once the weights are back.

On each runtime:

    tf.lite with Flex   `save` fails with the errors above; `restore` gives wrong values, silently
    LiteRT 2, TFLM      have no Flex delegate: neither signature runs

Example: `tf.raw_ops.Save(tensor_names=[v.name for v in variables])`. Keras 3's `v.name` is
`kernel`, `bias`, `kernel`, `bias`; `v.path` is unique.

How it is fixed: `tflrepair fix MODEL` names each saved and restored tensor by its variable's
shared name, on both sides. In the source: use `v.path`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.checkpoints import clashes
from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity


@check("TFR012", Severity.ERROR)
def checkpoint_names(context: AnalysisContext) -> Iterator[Found]:
    rows = context.checkpoints
    found = clashes(rows)
    if not found:
        return
    first = next(row for row in rows if not found.keys().isdisjoint(row.names))
    name, keys = next(iter(found.items()))
    variables = [key.shared_name for key in keys if key]
    yield Found(
        f"save and restore use one name for several variables: {names(list(found))}; "
        f"{name!r} stands for {names(variables)}",
        "give each variable its own name: tflrepair fix MODEL",
        location(
            first.site,
            next(
                (s.key for s in context.model.signatures if s.subgraph == first.site.subgraph), None
            ),
        ),
    )
