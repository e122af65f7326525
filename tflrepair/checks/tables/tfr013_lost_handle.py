"""A lookup table or variable was lost: its handle comes from nowhere.

What: an operator takes a resource that no VAR_HANDLE or HASHTABLE makes (nor a Flex operator that
makes resources): it comes out of a FlexPlaceholder, out of an operator that makes none, from an
input of an entry point, or no operator writes it at all.

Why it matters: the table's or variable's contents are not in the file, and no caller can hand in
a resource. Whatever runs the model stops there.

On each runtime:

    LiteRT, tf.lite   builtin kernels stop: `variable != nullptr was not true`, or, for a table,
                      `lookup != nullptr was not true`
    Flex              FlexPlaceholder fails: `You must feed a value for placeholder tensor`
                      (tensorflow/core/kernels/constant_op.cc)
    TFLM              has no Flex operators and no tables

Example: a `tf.lookup.StaticHashTable` that is not an attribute of the saved `tf.Module`. The
converter then writes FlexPlaceholder -> FlexLookupTableFindV2 and leaves the contents out.

How it is fixed: in the source, keep the table as an attribute of the module
(`self.table = tf.lookup.StaticHashTable(...)`) and convert again. The file alone cannot be fixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity
from tflrepair.format.schema import BuiltinOperator as _OP
from tflrepair.format.schema import TensorType
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.subgraph import Operator, Subgraph

# Operators that make a resource, and those that hand on what a subgraph that they call gives.
_MAKERS = frozenset(
    {
        _OP.VAR_HANDLE,
        _OP.HASHTABLE,
        _OP.IF,
        _OP.WHILE,
        _OP.CALL,
        _OP.STABLEHLO_WHILE,
        _OP.STABLEHLO_CASE,
        _OP.STABLEHLO_COMPOSITE,
    }
)
# TensorFlow's own: FlexVarHandleOp, FlexHashTableV2, FlexMutableDenseHashTableV2, FlexStackV2,
# FlexTensorArrayV3, FlexAnonymousIterator, FlexSummaryWriter, FlexFIFOQueueV2, ...; FlexIdentity
# and control flow hand on what they get.
_FLEX_MAKERS = re.compile(
    r"Flex(\w*Handle\w*|\w*Table\w*|Stack\w*|TensorArray\w*|\w*Iterator\w*|\w*Dataset\w*"
    r"|\w*Writer\w*|\w*Queue\w*|\w*Barrier\w*|\w*Accumulator\w*|\w*Reader\w*|\w*Generator\w*"
    r"|\w*Resource\w*|Identity\w*|\w*Call|If|While|Case|StatelessIf|StatelessWhile|StatelessCase"
    r"|Switch|Merge|RefSwitch|Enter|Exit|NextIteration|Restored\w*)"
)
# Builtin operators that take resources; others (IF, WHILE) only hand them on to these.
_TAKERS = frozenset(
    {
        _OP.READ_VARIABLE,
        _OP.ASSIGN_VARIABLE,
        _OP.HASHTABLE_FIND,
        _OP.HASHTABLE_IMPORT,
        _OP.HASHTABLE_SIZE,
    }
)


@check("TFR013", Severity.ERROR)
def lost_handle(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    if not any(row.name.startswith("Flex") or row.code in _TAKERS for row in model.operator_codes):
        return
    entries = {entry.subgraph for entry in context.analysis.entries}
    for graph in model.subgraphs:
        yield from _lost(graph, graph.index in entries)


def _lost(graph: Subgraph, entry: bool) -> Iterator[Found]:
    """The first operator that takes each lost resource of a subgraph."""
    columns = graph.operator_columns
    resources = {
        index
        for index, kind in enumerate(graph.tensor_columns.types)
        if kind == TensorType.RESOURCE
    }
    makers: dict[int, int] = {}
    told: set[int] = set()
    inputs = frozenset(graph.inputs)
    for number, (taken, made) in enumerate(zip(columns.inputs, columns.outputs, strict=True)):
        if not resources.isdisjoint(taken):
            for index in taken:
                if index in resources and index not in told:
                    maker = graph.operator(makers[index]) if index in makers else None
                    origin = _origin(maker, index in inputs, entry)
                    if origin:
                        told.add(index)
                        yield _finding(graph.operator(number), origin)
        if not resources.isdisjoint(made):
            makers.update((index, number) for index in made)


def _origin(maker: Operator | None, is_input: bool, entry: bool) -> str:
    """Where a lost resource comes from; empty if it may be right."""
    if maker is None:
        if not is_input:
            return "that no operator makes"
        return "that the caller would have to pass, which no caller can" if entry else ""
    if maker.code in _MAKERS or (maker.is_flex and _FLEX_MAKERS.fullmatch(maker.name)):
        return ""
    return f"from {maker.name} (operator {maker.index}), which makes no resource"


def _finding(operator: Operator, origin: str) -> Found:
    return Found(
        f"a lookup table or variable was lost in conversion: operator {operator.index} "
        f"({operator.name}) of subgraph {operator.subgraph} takes a resource {origin}",
        "keep the table or variable as an attribute of the tf.Module, and convert again",
        location(OperatorRef(operator.subgraph, operator.index)),
    )
