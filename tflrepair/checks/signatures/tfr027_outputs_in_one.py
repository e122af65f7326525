"""Several outputs became one.

What: a signature has two outputs that are one and the same tensor, or that have one tensor name.

Why it matters: the signature's own names give right answers. A caller that asks by position or
by tensor name gets one value twice, and the name of the other is gone from the file.

On each runtime:

    LiteRT Python      get_output_details() lists one tensor twice (`PartitionedCall:0`);
                       get_signature_runner() answers by both names
    Java, Kotlin       getOutputIndex(name) and runForMultipleInputsOutputs see one tensor
    C, C++, Swift      TfLiteInterpreterGetOutputTensor gives the same pointer for both indices
    TFLM               output(0) and output(1) are one buffer

Example: `return {"logits": y, "scores": y}`, or a Keras model with one layer as two outputs. The
converter removes the copy, and the name of the second tensor with it.

How it is fixed: read outputs by signature. If they must be two tensors, leave out the second in the
source, or give another value; `tf.identity` does not help, the converter removes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check, names
from tflrepair.findings import Location, Severity
from tflrepair.wording import plural

_HINT = "read outputs by the signature's names, not by position; see tflrepair explain TFR027"


@check("TFR027", Severity.WARNING, Needs.TABLES)
def outputs_in_one(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    told = set()
    for signature in model.signatures:
        told.add(signature.subgraph)
        found = _in_one(context, signature.subgraph, signature.outputs)
        for tensor, mine in found:
            yield Found(
                f"`{signature.key}` gives one tensor, {tensor!r}, as "
                f"{plural(len(mine), 'output')}: "
                f"{names(mine, 4)}",
                _HINT,
                Location(subgraph=signature.subgraph, signature=signature.key),
            )
    if 0 in told or not model.subgraphs:
        return
    outputs = tuple((f"output {n}", t) for n, t in enumerate(model.subgraph(0).outputs))
    for tensor, mine in _in_one(context, 0, outputs):
        yield Found(
            f"subgraph 0 gives one tensor, {tensor!r}, as {plural(len(mine), 'output')}",
            "if two answers are expected, look at the source: one of them is gone",
            Location(subgraph=0),
        )


def _in_one(
    context: AnalysisContext, subgraph: int, outputs: tuple[tuple[str, int], ...]
) -> Iterator[tuple[str, list[str]]]:
    """Tensor names that stand for more than one output, with the outputs' names."""
    if len(outputs) < 2:
        return
    graph = context.model.subgraph(subgraph)
    groups: dict[str, list[str]] = {}
    for name, index in outputs:
        groups.setdefault(graph.tensor(index).name or f"#{index}", []).append(name)
    yield from ((tensor, mine) for tensor, mine in groups.items() if len(mine) > 1)
