"""What a fold must leave as it is: everything that callers and runtimes see of a model.

Operators come and go in a fold; these do not: signatures, the types and shapes of what subgraphs
take and give, variables and their initial values, operators with effects or options of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import Variable
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format import schema
from tflrepair.format.fields import FIELDS
from tflrepair.format.reader import Table
from tflrepair.graph.contents import digest
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph, Tensor

_OP = schema.BuiltinOperator
_EFFECTS = {
    _OP.CALL_ONCE, _OP.ASSIGN_VARIABLE, _OP.HASHTABLE_IMPORT, _OP.RANDOM_UNIFORM,
    _OP.RANDOM_STANDARD_NORMAL, _OP.MULTINOMIAL, _OP.STABLEHLO_RNG_BIT_GENERATOR,
}  # fmt: skip


@dataclass(frozen=True)
class SignatureTensor:
    """An input or output of a subgraph; ``sizes`` has 1 where ``shape`` has -1."""

    dtype: str
    shape: tuple[int, ...]
    sizes: tuple[int, ...]
    ranked: bool
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]


def check_foldable(model: Model) -> None:
    """The fold's precondition: nothing that MLIR would lose and that cannot be put back.

    Raises:
        UnsupportedError: the model holds such a thing.
    """
    hint = "keep the model as it is (--strategy graft, with --freeze)"
    names = [subgraph.name for subgraph in model.subgraphs]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UnsupportedError(
            f"two subgraphs are named {twice[0]!r}, which MLIR refuses", hint=hint
        )
    if any(name == "model_control_dependencies" for name, _ in model.metadata):
        raise UnsupportedError(
            "metadata 'model_control_dependencies' counts operators, which a fold changes",
            hint=hint,
        )
    for slot, name in _LOST_MODEL.items():
        if model.root.count(slot):
            raise UnsupportedError(f"MLIR would lose the model's {name}", hint=hint)
    for kind, table in _tables(model):
        unknown = table.unknown_slots(schema.LAYOUT[kind])
        if unknown:
            raise UnsupportedError(
                f"a {kind} table has a field newer than this tflrepair (slot {unknown[0]})",
                where=f"byte {table.pos}",
                hint="update tflrepair; nothing was written",
            )
        for slot, name in _LOST.get(kind, {}).items():
            if _says_something(kind, table, slot):
                raise UnsupportedError(
                    f"MLIR would lose the {name} of a {kind} table",
                    where=f"byte {table.pos}",
                    hint=hint,
                )


def _says_something(kind: str, table: Table, slot: int) -> bool:
    """Whether a field is there and is not what its absence would mean (-1 for an index)."""
    _, layout, _, default = FIELDS[kind][slot]
    if not table.at(slot) or schema.LAYOUT[kind][slot] == "r":
        return bool(table.at(slot))
    return table.scalar(slot, layout) != default


_LOST_MODEL = {
    schema.Model.METADATA_BUFFER: "metadata_buffer",
    schema.Model.EXTERNAL_BUFFER_GROUPS: "external_buffer_groups",
    schema.Model.EXTERNAL_BUFFERS: "external_buffers",
}
_LOST = {
    "SubGraph": {schema.SubGraph.DEBUG_METADATA_INDEX: "debug_metadata_index"},
    "Operator": {schema.Operator.DEBUG_METADATA_INDEX: "debug_metadata_index"},
    "Tensor": {
        schema.Tensor.SPARSITY: "sparsity",
        schema.Tensor.EXTERNAL_BUFFER: "external_buffer",
    },
}


def _tables(model: Model) -> Iterable[tuple[str, Table]]:
    yield "Model", model.root
    for kind, slot in (
        ("OperatorCode", schema.Model.OPERATOR_CODES),
        ("Buffer", schema.Model.BUFFERS),
        ("Metadata", schema.Model.METADATA),
        ("SignatureDef", schema.Model.SIGNATURE_DEFS),
    ):
        for position in model.root.tables(slot):
            yield kind, model.reader.table(position)
    for subgraph in model.subgraphs:
        yield "SubGraph", subgraph.table
        for operator in subgraph.operators:
            yield "Operator", operator.table
        for table in subgraph.tensor_tables():
            yield "Tensor", table


def check_same(before: AnalysisContext, after: AnalysisContext) -> None:
    """The fold's postcondition without running.

    Raises:
        RefusedError: something that had to stay is not the same.
    """
    for what, old, new in _differences(before, after):
        if old != new:
            raise RefusedError(
                f"folding changes {what}, so the result was discarded",
                hint="keep the model as it is (--strategy graft, with --freeze)",
            )


def _differences(
    one: AnalysisContext, other: AnalysisContext
) -> Iterable[tuple[str, object, object]]:
    before, after = one.model, other.model
    yield "the number of subgraphs", len(before.subgraphs), len(after.subgraphs)
    yield "the version", before.version, after.version
    yield "the description", before.description, after.description
    yield "metadata", [n for n, _ in before.metadata], [n for n, _ in after.metadata]
    yield "signatures", _signatures(before), _signatures(after)
    for old, new in zip(before.subgraphs, after.subgraphs, strict=True):
        place = f"subgraph {old.index} ({old.name})"
        yield f"the name of {place}", old.name, new.name
        yield f"the inputs of {place}", _ports(old, old.inputs), _ports(new, new.inputs)
        yield f"the outputs of {place}", _ports(old, old.outputs), _ports(new, new.outputs)
        yield f"the state tensors of {place}", _states(old), _states(new)
        yield f"the variants of {place}", _variants(old), _variants(new)
        yield f"operators with effects in {place}", _effects(old), _effects(new)
        yield f"custom operators in {place}", _customs(before, old), _customs(after, new)
    yield "variables", _variables(one), _variables(other)


def _signatures(model: Model) -> list[object]:
    """Tensors by their place in the subgraph, since a fold numbers them anew."""
    rows: list[object] = []
    for signature in model.signatures:
        subgraph = model.subgraph(signature.subgraph)
        inputs = [(name, _ports(subgraph, [t])) for name, t in signature.inputs]
        outputs = [(name, _ports(subgraph, [t])) for name, t in signature.outputs]
        rows.append((signature.key, signature.subgraph, inputs, outputs))
    return rows


def _ports(subgraph: Subgraph, tensors: Iterable[int]) -> list[SignatureTensor]:
    return [_port(subgraph.tensor(index)) for index in tensors]


def _port(tensor: Tensor) -> SignatureTensor:
    slot = schema.QuantizationParameters
    quantization = tensor.table.table(schema.Tensor.QUANTIZATION)
    sizes = tensor.table.numbers(schema.Tensor.SHAPE)
    return SignatureTensor(
        dtype=tensor.dtype,
        shape=tensor.shape,
        sizes=sizes,
        ranked=tensor.has_rank or bool(sizes),
        scales=quantization.numbers(slot.SCALE, "f") if quantization else (),
        zero_points=quantization.numbers(slot.ZERO_POINT, "q") if quantization else (),
    )


def _states(subgraph: Subgraph) -> int:
    return sum(t.scalar(schema.Tensor.IS_VARIABLE, "?") for t in subgraph.tensor_tables())


def _variants(subgraph: Subgraph) -> Counter[tuple[int, ...]]:
    """What the tensor lists of a subgraph hold (VariantSubType), by how many tensors say so."""
    found: Counter[tuple[int, ...]] = Counter()
    slot = schema.VariantSubType
    for table in subgraph.tensor_tables():
        for position in table.tables(schema.Tensor.VARIANT_TENSORS):
            row = table.reader.table(position)
            found[(row.scalar(slot.TYPE, "b"), *row.numbers(slot.SHAPE))] += 1
    return found


def _effects(subgraph: Subgraph) -> Counter[str]:
    return Counter(o.name for o in subgraph.operators if o.code in _EFFECTS)


def _customs(model: Model, subgraph: Subgraph) -> Counter[tuple[str, int, bytes]]:
    return Counter(
        (operator.name, _version(model, operator), options(model, operator))
        for operator in subgraph.operators
        if operator.is_custom
    )


def _version(model: Model, operator: Operator) -> int:
    return model.operator_codes[operator.table.scalar(schema.Operator.OPCODE_INDEX, "I")].version


def options(model: Model, operator: Operator) -> bytes:
    """The custom options of an operator, wherever they stand."""
    slot = schema.Operator
    start, length = operator.table.span(slot.CUSTOM_OPTIONS) or (0, 0)
    position = operator.table.scalar(slot.LARGE_CUSTOM_OPTIONS_OFFSET, "Q")
    if position > 1:
        start, length = position, operator.table.scalar(slot.LARGE_CUSTOM_OPTIONS_SIZE, "Q")
    return bytes(model.read(start, length))


def _variables(context: AnalysisContext) -> dict[object, object]:
    model, found = context.model, context.analysis
    return {v.key: (v.status, v.dtype, _initial(model, v)) for v in found.variables + found.tables}


def _initial(model: Model, variable: Variable) -> tuple[str, bytes]:
    if variable.initial is None:
        return "", b""
    return variable.initial.via, digest(model, variable.initial.buffer)
