"""An initializer has inputs or outputs.

What: CALL_ONCE runs a subgraph that takes inputs or gives outputs.

Why it matters: CALL_ONCE passes no tensors, so the initializer cannot run as intended.

On each runtime:

    LiteRT, tf.lite   the signature stops when tensors are allocated:
                      `call_once.cc:82 init_subgraph->inputs().size() != 0` (kernels/call_once.cc)
    TFLM              no such check (micro/kernels/call_once.cc): inputs hold what is in the arena

Example: a tool that made an ordinary subgraph the target of CALL_ONCE.

How it is fixed: convert the model again, with a `tf.function` without arguments as initializer.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity
from tflrepair.wording import plural


@check("TFR017", Severity.ERROR)
def initializer_ports(context: AnalysisContext) -> Iterator[Found]:
    told: set[int] = set()
    for entry in context.analysis.entries:
        for site, target in entry.calls_once:
            graph = context.model.subgraph(target)
            if target in told or not (graph.inputs or graph.outputs):
                continue
            told.add(target)
            yield Found(
                f"the initializer, subgraph {target}, has {plural(len(graph.inputs), 'input')} and "
                f"{plural(len(graph.outputs), 'output')}; CALL_ONCE allows none",
                "convert the model again, with an initializer that takes and gives nothing",
                location(site, entry.signatures[0] if entry.signatures else None),
            )
