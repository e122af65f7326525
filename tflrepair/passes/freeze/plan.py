"""What a freeze will do, decided before a byte is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.initializers import Initial
from tflrepair.analysis.resources import ResourceId, variable_id
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.types import byte_size
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.options import called_subgraphs
from tflrepair.graph.subgraph import Operator, Tensor
from tflrepair.passes.freeze.handles import Handles, trace
from tflrepair.passes.graft.plan import missing_calls, needing_values

_OP = schema.BuiltinOperator


@dataclass(frozen=True)
class FrozenRead:
    """A READ_VARIABLE, its output tensor, and the constant that takes its place.

    ``widened_by``: the initializer's DEQUANTIZE, where the constant is float16. Then the reader
    gets one of its own instead of the READ_VARIABLE, as the converter leaves it.
    """

    site: OperatorRef
    tensor: int
    buffer: int
    shape: tuple[int, ...]
    widened_by: OperatorRef | None = None


@dataclass(frozen=True)
class FreezePlan:
    """What a freeze will do.

    Attributes:
        frozen: names of the variables that become constants, or that nothing reads.
        kept: (name, why not) of all others.
        constants: reads that become constants.
        dropped: operators that go.
    """

    frozen: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    constants: tuple[FrozenRead, ...]
    dropped: frozenset[OperatorRef]

    @property
    def changes(self) -> bool:
        return bool(self.dropped)

    @cached_property
    def widened(self) -> dict[OperatorRef, FrozenRead]:
        """The reads that a DEQUANTIZE replaces."""
        return {row.site: row for row in self.constants if row.widened_by}

    @cached_property
    def by_subgraph(self) -> dict[int, list[FrozenRead]]:
        """``constants`` by the subgraph of the read."""
        found: dict[int, list[FrozenRead]] = {}
        for row in self.constants:
            found.setdefault(row.site.subgraph, []).append(row)
        return found


def plan_freeze(context: AnalysisContext) -> FreezePlan:
    """Decide what to freeze. Raises as ``freeze`` does."""
    check_freezable(context)
    model, analysis = context.model, context.analysis
    handles, facts = trace(model), _Facts.of(model, analysis)
    frozen: dict[ResourceId, Variable] = {}
    kept = []
    for variable in analysis.variables:
        reason = _why_not(facts, handles, variable)
        if reason:
            kept.append((variable.name, reason))
        elif _touched(handles, variable.key):
            frozen[variable.key] = variable
    reads = {site for key in frozen for site in handles.read.get(key, ())}
    gone = reads | {site for key in frozen for site in handles.assigned.get(key, ())}
    constants = _constants(model, frozen, handles)
    gone |= _idle(model, frozen, gone)
    gone |= _idle_calls(model, analysis.initializers, gone)
    gone -= {row.site for row in constants if row.widened_by}
    return FreezePlan(
        frozen=tuple(variable.name for variable in frozen.values()),
        kept=tuple(kept),
        constants=constants,
        dropped=frozenset(gone),
    )


def operator_ref(operator: Operator) -> OperatorRef:
    return OperatorRef(operator.subgraph, operator.index)


def check_freezable(context: AnalysisContext) -> None:
    """The freeze's precondition.

    Raises:
        UnsupportedError: metadata counts operators.
        RefusedError: a variable is read before it has a value.
    """
    model = context.model
    for name, buffer in model.metadata:
        if name == "model_control_dependencies" and model.buffer(buffer).length:
            raise UnsupportedError(
                "metadata 'model_control_dependencies' counts operators, and a freeze removes some",
                hint="reconvert the model instead",
            )
    check_initialized(context.analysis)


def check_initialized(analysis: Analysis) -> None:
    """Raises RefusedError if a variable is read before it has a value."""
    unset = needing_values(analysis)
    if unset or missing_calls(analysis):
        name = unset[0].name if unset else "an initializer call"
        raise RefusedError(
            f"the model must have its initial values first; {name} is missing",
            hint="give them with `tflrepair fix MODEL --weights FILE`",
        )


@dataclass(frozen=True)
class _Facts:
    """What every variable is judged by, found once.

    Attributes:
        fixed: initializers that no signature is.
        keys: of each subgraph that has signatures, the first one's.
    """

    model: Model
    fixed: frozenset[int]
    keys: dict[int, str]

    @classmethod
    def of(cls, model: Model, analysis: Analysis) -> _Facts:
        entries = {entry.subgraph for entry in analysis.entries if entry.signatures}
        keys = {row.subgraph: row.key for row in reversed(model.signatures)}
        return cls(model, frozenset(analysis.initializers) - entries, keys)

    def label(self, subgraph: int) -> str:
        key = self.keys.get(subgraph)
        return f"subgraph {subgraph}" if key is None else f"signature `{key}`"


def _why_not(facts: _Facts, handles: Handles, variable: Variable) -> str:
    """Why ``variable`` cannot be frozen; empty if it can."""
    key = variable.key
    if key.kind != "builtin":
        return "it lives in the Flex delegate"
    if handles.unknown is not None:
        return f"subgraph {handles.unknown.subgraph} assigns a variable that is unknown"
    if key in handles.doubtful:
        return handles.doubtful[key]
    assigned = handles.assigned.get(key, [])
    outside = [site for site in assigned if site.subgraph not in facts.fixed]
    if outside:
        return f"{facts.label(outside[0].subgraph)} assigns it"
    if len(assigned) > 1:
        return "more than one initializer assigns it"
    if assigned:
        return _why_no_constant(facts, handles, variable)
    return "no initializer sets it" if handles.read.get(key) else ""


def _why_no_constant(facts: _Facts, handles: Handles, variable: Variable) -> str:
    model = facts.model
    initial = variable.initial
    if initial is None:
        return "its initial value is computed"
    value = model.subgraph(initial.target).tensor(initial.tensor)
    if initial.via != "constant" and not _is_half(value):
        return "its initial value is computed"
    table, slot = value.table, schema.Tensor
    if any(table.at(s) for s in (slot.SPARSITY, slot.VARIANT_TENSORS, slot.EXTERNAL_BUFFER)):
        return "its initial value is sparse or stored elsewhere"
    if model.buffer(initial.buffer).length != byte_size(value.dtype, value.shape):
        return "its initial value is not a plain constant"
    for site in handles.read.get(variable.key, ()):
        subgraph = model.subgraph(site.subgraph)
        read = subgraph.tensor(subgraph.operators[site.operator].outputs[0])
        if not _takes(read, value.shape, _dtype(initial, value)):
            return f"{facts.label(site.subgraph)} reads it as another type or shape"
    return ""


def _is_half(value: Tensor) -> bool:
    """Whether it is float16 without scales: DEQUANTIZE only widens it, which is exact."""
    quantization = value.table.table(schema.Tensor.QUANTIZATION)
    scales = quantization.count(schema.QuantizationParameters.SCALE) if quantization else 0
    return value.dtype == "float16" and not scales


def _dtype(initial: Initial, value: Tensor) -> str:
    return "float32" if initial.via == "dequantize" else value.dtype


def _takes(read: Tensor, shape: tuple[int, ...], dtype: str) -> bool:
    """Whether ``read`` can hold such a value. A shape of [] without has_rank means "unknown"."""
    if read.dtype != dtype or read.table.scalar(schema.Tensor.IS_VARIABLE, "?"):
        return False
    if not read.shape and not read.has_rank:
        return True
    return len(read.shape) == len(shape) and all(
        a in (-1, b) for a, b in zip(read.shape, shape, strict=True)
    )


def _constants(
    model: Model, frozen: dict[ResourceId, Variable], handles: Handles
) -> tuple[FrozenRead, ...]:
    rows = []
    makers: dict[int, dict[int, Operator]] = {}
    for key, variable in frozen.items():
        initial = variable.initial
        if initial is None:  # a variable without one is frozen only if nothing reads it
            continue
        shape = model.subgraph(initial.target).tensor(initial.tensor).shape
        widened_by = _widening(model, makers, initial) if initial.via == "dequantize" else None
        for site in handles.read.get(key, ()):
            output = model.subgraph(site.subgraph).operators[site.operator].outputs[0]
            rows.append(FrozenRead(site, output, initial.buffer, shape, widened_by))
    return tuple(rows)


def _widening(
    model: Model, makers: dict[int, dict[int, Operator]], initial: Initial
) -> OperatorRef:
    """The initializer's DEQUANTIZE of a value; ``makers``: tensor -> what writes it, as needed."""
    subgraph = model.subgraph(initial.target)
    if subgraph.index not in makers:
        makers[subgraph.index] = {t: o for o in subgraph.operators for t in o.outputs}
    value = subgraph.operators[initial.site.operator].inputs[1]
    return operator_ref(makers[subgraph.index][value])


def _touched(handles: Handles, key: ResourceId) -> bool:
    return bool(handles.read.get(key) or handles.assigned.get(key))


def _idle(
    model: Model, frozen: dict[ResourceId, Variable], gone: set[OperatorRef]
) -> set[OperatorRef]:
    """What nothing uses any more: VAR_HANDLEs of frozen variables, and DEQUANTIZEs of their values.

    A handle that is passed on to a subgraph stays until the model is compacted.
    """
    idle = set()
    initializers = {v.initial.target for v in frozen.values() if v.initial is not None}
    for subgraph in model.subgraphs:
        rows = [
            o for o in subgraph.operators
            if (o.code == _OP.VAR_HANDLE and variable_id(o) in frozen)
            or (o.code == _OP.DEQUANTIZE and subgraph.index in initializers)
        ]  # fmt: skip
        if rows:
            used = set(subgraph.outputs)
            for operator in subgraph.operators:
                if operator_ref(operator) not in gone:
                    used.update(operator.inputs)
            idle |= {operator_ref(o) for o in rows if not used.intersection(o.outputs)}
    return idle


def _idle_calls(
    model: Model, initializers: tuple[int, ...], gone: set[OperatorRef]
) -> set[OperatorRef]:
    """CALL_ONCEs of initializers that have no operator left."""
    emptied = set()
    for target in initializers:
        sites = {operator_ref(operator) for operator in model.subgraph(target).operators}
        if sites and sites <= gone:
            emptied.add(target)
    return {
        operator_ref(operator)
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if operator.code == _OP.CALL_ONCE and called_subgraphs(operator)[0] in emptied
    }
