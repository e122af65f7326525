"""Float weights in a quantized model.

What: most convolutions and matrix products take 8-bit weights, but some take float ones.

Why it matters: these run in float, several times slower, and accelerators that take integers only
(Edge TPU, many NPUs, most microcontrollers) do not take them at all.

On each runtime:

    LiteRT, tf.lite   these operators run by float kernels
    GPU               it prefers floats; it computes the others in floats, too
    Edge TPU, NPUs    the part of the graph from here on stays on the CPU
    TFLM              needs the float kernels as well, which optimized libraries leave to the
                      reference code

Example: an operator that the quantizer does not know, or a layer that was left out on purpose.

How it is fixed: look at the operators named; quantize with a representative data set and
`TFLITE_BUILTINS_INT8`, which refuses what stays float.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.findings import Location, Severity
from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.wording import plural, verb

_OP = schema.BuiltinOperator
_WEIGHTED = (_OP.CONV_2D, _OP.DEPTHWISE_CONV_2D, _OP.FULLY_CONNECTED, _OP.TRANSPOSE_CONV)


@check("TFR025", Severity.INFO, Needs.TABLES)
def float_in_quantized(context: AnalysisContext) -> Iterator[Found]:
    floats: list[Operator] = []
    integers = 0
    for subgraph in context.model.subgraphs:
        for operator in subgraph.operators_of(_WEIGHTED):
            if len(operator.inputs) < 2:
                continue
            dtype = subgraph.typed(operator.inputs[1]).dtype if operator.inputs[1] >= 0 else ""
            integers += dtype in ("int8", "uint8", "int4")
            floats += [operator] if dtype == "float32" else []
    if floats and integers > len(floats):
        kinds = Counter(operator.name for operator in floats).most_common(4)
        listed = ", ".join(f"{name} {count}" for name, count in kinds)
        first = floats[0]
        yield Found(
            f"{plural(integers, 'operator')} {verb(integers, 'has', 'have')} 8-bit weights, "
            f"but {len(floats)} {verb(len(floats), 'takes', 'take')} floats: {listed}",
            f"look: tflrepair show MODEL --subgraph {first.subgraph} --around {first.index}",
            Location(subgraph=first.subgraph, operator=first.index),
        )
