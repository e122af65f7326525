"""An initializer subgraph has inputs or outputs.

What: CALL_ONCE leads to a subgraph that takes or gives tensors.

Why it matters: CALL_ONCE hands nothing over. The runtime refuses the model when it is prepared
(tensorflow/lite/kernels/call_once.cc asks for no inputs and no outputs).

Example: a file put together by hand, whose CALL_ONCE names the subgraph of a signature.

How it is fixed: let CALL_ONCE call a subgraph that only assigns; convert the model again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity


@check("TFR017", Severity.ERROR)
def initializer_ports(context: AnalysisContext) -> Iterator[Found]:
    seen = set()
    for entry in context.analysis.entries:
        for site, target in entry.calls_once:
            subgraph = context.model.subgraph(target)
            count = len(subgraph.inputs), len(subgraph.outputs)
            if any(count) and target not in seen:
                seen.add(target)
                yield Found(
                    f"CALL_ONCE calls subgraph {target}, which has {count[0]} inputs and "
                    f"{count[1]} outputs; the runtime refuses that",
                    "convert the model again; an initializer only assigns",
                    location(site),
                )
