"""A variable or table of the Flex delegate is used without a value.

What: a Flex operator reads a FlexVarHandleOp's variable that nothing has assigned before, or looks
into a FlexHashTableV2 that nothing in the file fills.

Why it matters: these live in TensorFlow's own resource manager. No kernel of TensorFlow Lite gives
them a value, and XNNPACK does not touch them.

On each runtime:

    tf.lite with Flex   `Error while reading resource variable w from Container: localhost. This
                        could mean that the variable was uninitialized` (tensorflow/core/kernels/
                        resource_variable_ops.cc), or `Table not initialized.`
                        (initializable_lookup_table.cc)
    without Flex        the model stops earlier, at the first Flex operator (TFR026)
    TFLM                has no Flex operators

Example: a float16 variable, which has no builtin kernel, in a model that lost its initial values.

How it is fixed: variables: `tflrepair fix MODEL --weights FILE`. Tables: keep the table as an
attribute of the module (`self.table = tf.lookup.StaticHashTable(...)`) and convert again.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, check, location, names
from tflrepair.errors import BadFileError
from tflrepair.findings import Severity
from tflrepair.format import flex, schema
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph

_TABLES = ("FlexHashTable", "FlexHashTableV2")
_LOOKS = ("FlexLookupTableFind", "FlexLookupTableFindV2")
_FILLS = (
    "FlexLookupTableImport", "FlexLookupTableImportV2", "FlexInitializeTable",
    "FlexInitializeTableV2", "FlexInitializeTableFromTextFile",
    "FlexInitializeTableFromTextFileV2", "FlexInitializeTableFromDataset",
)  # fmt: skip


@check("TFR028", Severity.ERROR)
def flex_unset(context: AnalysisContext) -> Iterator[Found]:
    yield from _variables(context)
    yield from _tables(context.model)


def _variables(context: AnalysisContext) -> Iterator[Found]:
    for entry in context.analysis.entries:
        unset = [(key, site) for key, site in entry.unset if key.kind == "flex"]
        if unset:
            key, site = unset[0]
            yield Found(
                f"`{entry.label}` reads Flex variables that have no value: "
                f"{names([key.shared_name for key, _ in unset])}",
                "put the values back: tflrepair fix MODEL --weights FILE",
                location(site, entry.signatures[0] if entry.signatures else None, key.shared_name),
            )


def _tables(model: Model) -> Iterator[Found]:
    if not any(row.name in _LOOKS for row in model.operator_codes):
        return
    filled: set[tuple[str, str]] = set()
    read: dict[tuple[str, str], OperatorRef] = {}
    for graph in model.subgraphs:
        made: dict[int, tuple[str, str]] = {}
        for operator in graph.operators:
            if operator.name in _TABLES and operator.outputs:
                made[operator.outputs[0]] = _identity(model, graph, operator)
            key = made.get(operator.inputs[0]) if operator.inputs else None
            if key is not None and operator.name in _FILLS:
                filled.add(key)
            elif key is not None and operator.name in _LOOKS:
                read.setdefault(key, OperatorRef(graph.index, operator.index))
    for key, site in read.items():
        if key not in filled:
            yield Found(
                f"the Flex table {key[1]!r} is looked up, and nothing in the file fills it",
                "keep the table as an attribute of the tf.Module and convert again",
                location(site),
            )


def _identity(model: Model, graph: Subgraph, operator: Operator) -> tuple[str, str]:
    """(container, shared name); a table without a name is one of its own."""
    start, length = operator.table.span(schema.Operator.CUSTOM_OPTIONS) or (0, 0)
    place = f"operator {operator.index} of subgraph {graph.index}"
    try:
        node = flex.node_def(bytes(model.read(start, length)))
        return node.text("container"), node.text("shared_name") or place
    except BadFileError:  # nothing that another operator could share
        return "", place
