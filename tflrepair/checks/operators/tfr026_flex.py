"""The model needs the Flex delegate.

What: operators of TensorFlow itself, which no builtin kernel runs.

Why it matters: a runtime without the delegate stops with `Regular TensorFlow ops are not supported
by this interpreter`. It must be added, and adds some 20 MB to an application.

On each runtime:

    Android   org.tensorflow:tensorflow-lite-select-tf-ops, beside tensorflow-lite
    iOS       the pod TensorFlowLiteSelectTfOps, and -force_load of it for static frameworks
    Python    tensorflow-cpu 2.18.1 or older; wheels since 2.19 and ai-edge-litert lack it
    LiteRT 2  has no Flex delegate on any platform
    TFLM      cannot run them

Example: gradients of convolutions, Save and Restore in a model that trains on the device.

How it is fixed: `tflrepair scan MODEL --target litert` lists the operators. If there are only a
few, write them with builtin operators, and convert with TFLITE_BUILTINS only, which refuses the
rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.graph.subgraph import CUSTOM
from tflrepair.wording import plural


@check("TFR026", Severity.INFO, Needs.TABLES)
def flex(context: AnalysisContext) -> Iterator[Found]:
    subgraphs = context.model.subgraphs
    operators = [o for s in subgraphs for o in s.operators_of((CUSTOM,)) if o.is_flex]
    if not operators:
        return
    kinds = Counter(operator.name for operator in operators)
    first = operators[0]
    listed = ", ".join(f"{name} {count}" for name, count in kinds.most_common(4))
    more = f" and {len(kinds) - 4} more kind{'s' * (len(kinds) > 5)}" if len(kinds) > 4 else ""
    yield Found(
        f"needs the Flex delegate for {plural(len(operators), 'operator')}: {listed}{more}",
        "Android: add tensorflow-lite-select-tf-ops; iOS: TensorFlowLiteSelectTfOps; Python: "
        "tensorflow-cpu 2.18.1 or older; see tflrepair explain TFR026",
        Location(subgraph=first.subgraph, operator=first.index),
    )
