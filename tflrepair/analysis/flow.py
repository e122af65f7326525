"""Which resource each operator creates, sets and reads, and what is read before it is set.

One pass over each subgraph gives a Summary: what it reads before it has certainly set it
(``unset``), what it certainly sets (``sets``), and the resources behind its outputs. Summaries
compose at IF, WHILE, CALL, CALL_ONCE and the StableHLO control flow, so a subgraph that many
operators call is walked once for each different set of handles passed to it.

CALL_ONCE counts as a plain call: a variable that is set stays set for the interpreter's life, so
a second, skipped run of the initializer changes nothing
(tensorflow/lite/kernels/call_once.cc, control_flow_common.h).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tflrepair.analysis.budget import Budget
from tflrepair.analysis.resources import ResourceId, Summary, Uses, table_id, variable_id
from tflrepair.errors import BadFileError, TflRepairError, UnsupportedError
from tflrepair.format import schema
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator

if TYPE_CHECKING:
    from tflrepair.format import flex

# Interpreters recurse through subgraph calls, too; converters nest a handful deep.
_DEEPEST = 100
_MOST_SUMMARIES = 100_000
_NOTE = 6  # steps: what is noted stays in memory, and takes that many times longer


class Flow:
    """Summaries of a model's subgraphs, made on demand and kept."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.uses = Uses()
        self._known: dict[tuple[int, tuple[ResourceId | None, ...]], Summary] = {}
        self._open: dict[int, None] = {}
        self.visited: set[int] = set()
        self.budget = Budget(model.size)
        self._nodes: dict[tuple[int, int], flex.NodeDef] = {}

    def summary(self, subgraph: int, handles: tuple[ResourceId | None, ...] = ()) -> Summary:
        """The summary of ``subgraph`` when ``handles[i]`` is the resource in its input ``i``.

        Raises:
            BadFileError: a call leads nowhere, or subgraphs call each other in a circle.
            UnsupportedError: calls are nested deeper than runtimes could follow.
        """
        where = f"subgraph {subgraph}"
        count = len(self.model.subgraph(subgraph).inputs)
        handles = (handles + (None,) * count)[:count]
        known = self._known.get((subgraph, handles))
        if known is not None:
            return known
        if subgraph in self._open:
            raise BadFileError("the subgraph calls itself, directly or through others", where=where)
        if len(self._open) >= _DEEPEST or len(self._known) >= _MOST_SUMMARIES:
            raise UnsupportedError("subgraph calls are nested too deeply to follow", where=where)
        self._open[subgraph] = None
        try:
            result = _Walk(self, subgraph, handles).run()
        finally:
            del self._open[subgraph]
        self._known[(subgraph, handles)] = result
        self.visited.add(subgraph)
        return result

    def node_def(self, span: tuple[int, int]) -> flex.NodeDef:
        """The TensorFlow node in the custom options at ``span``, which operators may share."""
        if span not in self._nodes:
            from tflrepair.format import flex  # few models have such nodes

            start, length = span
            self.budget.spend(length // 16)
            self._nodes[span] = flex.node_def(bytes(self.model.read(start, length)))
        return self._nodes[span]

    def note(self, what: str, key: ResourceId, site: OperatorRef) -> None:
        if self.uses.note(what, key, site, site.subgraph in self.visited):
            self.budget.spend(_NOTE)


class _Walk:
    """One pass over one subgraph."""

    def __init__(self, flow: Flow, index: int, handles: tuple[ResourceId | None, ...]) -> None:
        self.flow = flow
        self.index = index
        self.subgraph = flow.model.subgraph(index)
        self.columns = self.subgraph.operator_columns
        inputs = self.subgraph.inputs
        self.handles = {t: key for t, key in zip(inputs, handles, strict=True) if key}
        self.unset: dict[ResourceId, OperatorRef] = {}
        self.sets: set[ResourceId] = set()

    def run(self) -> Summary:
        codes = self.subgraph.builtin_codes
        self.flow.budget.spend(len(codes) + len(self.subgraph.inputs))
        for operator, code in enumerate(codes):
            handler = _HANDLERS.get(code)
            if handler is None:
                continue
            try:
                handler(self, operator)
            except TflRepairError as error:
                if error.where and error.where.startswith("subgraph"):
                    raise
                name = self.subgraph.operator(operator).name
                raise error.within(f"subgraph {self.index}, operator {operator} ({name})") from None
        outputs = tuple(self.handles.get(t) for t in self.subgraph.outputs)
        return Summary(self.unset, frozenset(self.sets), outputs)

    # -- what operators, given by their number, do to resources

    def create(self, operator: int, key: ResourceId) -> None:
        outputs = self.columns.outputs[operator]
        if outputs:
            self.handles[outputs[0]] = key
        self.flow.note("created", key, self.site(operator))

    def read(self, operator: int, key: ResourceId) -> None:
        site = self.site(operator)
        self.flow.note("read", key, site)
        if key not in self.sets:
            self.unset.setdefault(key, site)

    def assign(self, operator: int, key: ResourceId) -> None:
        self.flow.note("assigned", key, self.site(operator))
        self.sets.add(key)

    def value(self, operator: int, key: ResourceId, tensor: int) -> None:
        rows = self.flow.uses.values.setdefault(key, [])
        row = (self.site(operator), tensor)
        if row not in rows[-1:]:
            rows.append(row)

    def handle(self, operator: int) -> ResourceId | None:
        """The resource in the operator's first input; notes it where that cannot be told."""
        inputs = self.columns.inputs[operator]
        key = self.handles.get(inputs[0]) if inputs else None
        if key is None:
            self.flow.uses.unresolved.setdefault(self.site(operator))
        return key

    def site(self, operator: int) -> OperatorRef:
        return OperatorRef(self.index, operator)

    # -- builtin resources

    def var_handle(self, operator: int) -> None:
        self.create(operator, variable_id(self.subgraph.operator(operator)))

    def read_variable(self, operator: int) -> None:
        key = self.handle(operator)
        if key is not None:
            self.read(operator, key)
            outputs = self.columns.outputs[operator]
            if outputs:
                self.value(operator, key, outputs[0])

    def assign_variable(self, operator: int) -> None:
        key = self.handle(operator)
        if key is not None:
            self.assign(operator, key)
            inputs = self.columns.inputs[operator]
            if len(inputs) > 1:
                self.value(operator, key, inputs[1])

    def hashtable(self, operator: int) -> None:
        self.create(operator, table_id(self.subgraph.operator(operator)))

    def read_table(self, operator: int) -> None:
        key = self.handle(operator)
        if key is not None:
            self.read(operator, key)

    def import_table(self, operator: int) -> None:
        key = self.handle(operator)
        if key is not None:
            self.assign(operator, key)

    # -- Flex resources

    def flex(self, operator: int) -> None:
        row = self.subgraph.operator(operator)
        if not row.is_flex:
            return
        name = row.name.removeprefix("Flex")
        if name == "VarHandleOp":
            self.flex_handle(row)
            return
        keys = [self.handles[t] for t in row.inputs if t in self.handles]
        if name in ("ReadVariableOp", "AssignVariableOp") and not keys:
            self.handle(operator)
        for key in keys:
            if name == "VarIsInitializedOp":
                continue
            # AssignAdd, ResourceApply*, ResourceScatter* and all that we do not know read first
            if name != "AssignVariableOp":
                self.read(operator, key)
            if name.startswith(("Assign", "ResourceApply", "ResourceScatter", "ResourceSparse")):
                self.assign(operator, key)
        if keys and name == "ReadVariableOp" and row.outputs:
            self.value(operator, keys[0], row.outputs[0])
        if keys and name == "AssignVariableOp" and len(row.inputs) > 1:
            self.value(operator, keys[0], row.inputs[1])

    def flex_handle(self, row: Operator) -> None:
        node = self.flow.node_def(row.table.span(schema.Operator.CUSTOM_OPTIONS) or (0, 0))
        key = ResourceId("flex", node.text("container"), node.text("shared_name"))
        self.flow.uses.declared.setdefault(key, (node.dtype("dtype"), node.shape("shape")))
        self.create(row.index, key)

    # -- calls

    def targets(self, operator: int) -> tuple[int, ...]:
        return called_subgraphs(self.subgraph.operator(operator))

    def call(self, target: int, inputs: Iterable[int] = ()) -> Summary:
        """What calling ``target`` does; its unset reads count unless we have set them before."""
        handles = tuple(map(self.handles.get, inputs))
        summary = self.flow.summary(target, handles)
        self.flow.budget.spend(len(handles) + len(summary.unset) + len(summary.sets))
        for key, site in summary.unset.items():
            if key not in self.sets:
                self.unset.setdefault(key, site)
        return summary

    def returned(self, operator: int, outputs: tuple[ResourceId | None, ...]) -> None:
        for tensor, key in zip(self.columns.outputs[operator], outputs, strict=False):
            if key is not None:
                self.handles[tensor] = key

    def call_once(self, operator: int) -> None:
        (target,) = self.targets(operator)
        self.sets |= self.call(target).sets
        rows = self.flow.uses.calls_once.setdefault(self.index, [])
        if (self.site(operator), target) not in rows:
            rows.append((self.site(operator), target))

    def plain_call(self, operator: int) -> None:
        """CALL, or a composite that has its decomposition in the file."""
        for target in self.targets(operator):
            summary = self.call(target, self.columns.inputs[operator])
            self.sets |= summary.sets
            self.returned(operator, summary.outputs)

    def if_(self, operator: int) -> None:
        self.branches(operator, self.targets(operator))

    def branches(self, operator: int, targets: Iterable[int]) -> None:
        """Exactly one of ``targets`` runs: set is what all of them set."""
        summaries = [self.call(target, self.columns.inputs[operator][1:]) for target in targets]
        if summaries:
            self.sets |= frozenset.intersection(*(s.sets for s in summaries))
            same = zip(*(summary.outputs for summary in summaries), strict=False)
            self.returned(operator, tuple(k[0] if len(set(k)) == 1 else None for k in same))

    def while_(self, operator: int) -> None:
        """The condition always runs; the body may run not once, so what it sets does not count."""
        targets = self.targets(operator)
        if not targets:
            return
        condition, body = targets
        inputs = self.columns.inputs[operator]
        self.sets |= self.call(condition, inputs).sets
        self.call(body, inputs)
        self.returned(operator, tuple(map(self.handles.get, inputs)))


_OP = schema.BuiltinOperator
_HANDLERS = {
    _OP.CUSTOM: _Walk.flex,
    _OP.VAR_HANDLE: _Walk.var_handle,
    _OP.READ_VARIABLE: _Walk.read_variable,
    _OP.ASSIGN_VARIABLE: _Walk.assign_variable,
    _OP.HASHTABLE: _Walk.hashtable,
    _OP.HASHTABLE_FIND: _Walk.read_table,
    _OP.HASHTABLE_SIZE: _Walk.read_table,
    _OP.HASHTABLE_IMPORT: _Walk.import_table,
    _OP.CALL_ONCE: _Walk.call_once,
    _OP.CALL: _Walk.plain_call,
    _OP.IF: _Walk.if_,
    _OP.WHILE: _Walk.while_,
    _OP.STABLEHLO_COMPOSITE: _Walk.plain_call,
    _OP.STABLEHLO_WHILE: _Walk.while_,
    _OP.STABLEHLO_CASE: _Walk.if_,
}
