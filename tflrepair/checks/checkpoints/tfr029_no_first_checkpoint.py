"""`restore` must run first, but nothing can write the first checkpoint.

What: variables get their values only from the model's own Restore operators, and each Save operator
reads variables that only a restore sets. No order of calls in a new installation works.

Why it matters: "call `restore` first" needs a checkpoint file, and `save` cannot write one before a
restore has run. The application works on the developer's device, where a file is left from before.

On each runtime; Save and Restore need the Flex delegate:

    tf.lite, builtin kernels   `save` stops with `read_variable.cc:67 variable != nullptr was not
                               true`; `restore` with `NOT_FOUND: Unsuccessful TensorSliceReader
                               constructor: Failed to find any matching files`
    with XNNPACK               `save` may write garbage into the checkpoint, without an error
    LiteRT 2, TFLM             neither runs: no Flex delegate

Example: a module whose initial values the converter dropped (TFR001), with `save` and `restore`.

How it is fixed: `tflrepair fix MODEL --weights FILE` puts initial values into the file. Or ship a
checkpoint with the application, written in Python by the module's own `save`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.checks.base import Found, check, location, names
from tflrepair.findings import Severity


@check("TFR029", Severity.WARNING)
def no_first_checkpoint(context: AnalysisContext) -> Iterator[Found]:
    waiting = {
        v.key for v in context.analysis.variables if v.status == VariableStatus.ORDER_DEPENDENT
    }
    rows = context.checkpoints
    if not waiting or not any(row.saves for row in rows):
        return
    restoring = {row.site.subgraph for row in rows if not row.saves}
    saving = {row.site.subgraph: row.site for row in rows if row.saves}
    reached = {
        e.subgraph: set(context.calls.reachable(e.subgraph)) for e in context.analysis.entries
    }
    settable = _settable(context, {s for s, found in reached.items() if found & restoring})
    writers, first = [], None
    for entry in context.analysis.entries:
        sites = [saving[n] for n in reached[entry.subgraph] if n in saving]
        if not sites:
            continue
        lacking = [key for key, _ in entry.unset if key not in settable]
        if not lacking or not waiting.intersection(lacking):
            return  # this one can write a checkpoint, or fails for another reason
        writers.append(entry.label)
        first = first or (min(sites), lacking)
    if first is not None:
        site, lacking = first
        unset = names([key.shared_name for key in lacking])
        yield Found(
            f"only a restore sets {unset}, and `{writers[0]}` reads it "
            "unset: nothing can write the first checkpoint",
            "put initial values into the file: tflrepair fix MODEL --weights FILE; or ship a "
            "checkpoint with the application",
            location(site, signature=writers[0], variable=lacking[0].shared_name),
        )


def _settable(context: AnalysisContext, restoring: set[int]) -> frozenset[ResourceId]:
    """What entries that restore nothing can set, one after the other, without reading unset."""
    entries = [e for e in context.analysis.entries if e.subgraph not in restoring]
    found: set[ResourceId] = set()
    while ready := [e for e in entries if all(key in found for key, _ in e.unset)]:
        entries = [e for e in entries if e not in ready]
        for entry in ready:
            found |= entry.sets
    return frozenset(found)
