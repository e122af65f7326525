"""Where a run can begin: signatures, or subgraph 0 of a model without; and what each needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import UserError
from tflrepair.format import schema
from tflrepair.format.types import type_name
from tflrepair.graph.subgraph import Operator, Subgraph, Tensor

# Kernels that draw from a random device unless they are given a seed
# (tensorflow/lite/kernels/random_ops.cc, InitializeOpData).
_RANDOM = {
    schema.BuiltinOperator.RANDOM_UNIFORM,
    schema.BuiltinOperator.RANDOM_STANDARD_NORMAL,
    schema.BuiltinOperator.MULTINOMIAL,
}
_SEEDS = (0, 1)  # slots of RandomOptions.seed and seed2, int64
_FLEX_RANDOM = ("FlexRandom", "FlexTruncatedNormal", "FlexMultinomial", "FlexParameterizedTrunc")
_QUANTISED = {"int8", "uint8", "int16", "int4", "uint4", "int2"}


@dataclass(frozen=True)
class RunTensor:
    """An input or output: its name in the signature (or the tensor's), and its tensor."""

    name: str
    tensor: Tensor

    @property
    def text(self) -> str:
        """``x: float32 [?, 4]``"""
        sizes = ", ".join("?" if size < 0 else str(size) for size in self.tensor.shape)
        return f"{self.name}: {self.tensor.dtype} [{sizes}]"


@dataclass(frozen=True)
class RunTarget:
    """A signature; ``signature`` None stands for subgraph 0 of a model that has none.

    Attributes:
        flex: Flex operators that a run may reach, sorted; the runtime needs the Flex delegate.
        random: it reaches an operator that answers differently each time by design.
        quantised: it reaches tensors of 16 bits or fewer, where delegates round differently.
    """

    signature: str | None
    subgraph: int
    inputs: tuple[RunTensor, ...]
    outputs: tuple[RunTensor, ...]
    flex: tuple[str, ...]
    random: bool
    quantised: bool

    @property
    def call(self) -> tuple[object, ...]:
        """What a run of it computes: the same for signatures that differ in their keys alone."""
        ports = ((p.name, p.tensor.index) for p in (*self.inputs, *self.outputs))
        return (self.signature is None, self.subgraph, len(self.inputs), *ports)

    @property
    def label(self) -> str:
        return f"subgraph {self.subgraph}" if self.signature is None else self.signature


def run_targets(context: AnalysisContext, signature: str | None = None) -> tuple[RunTarget, ...]:
    """All that can be run of a model, or the one of the signature key ``signature``.

    Raises:
        UserError: the model has no such signature.
        BadFileError: a call of a subgraph leads nowhere or in a circle.
    """
    _ = context.analysis  # refuses calls that lead nowhere or in a circle
    model, builder = context.model, _Builder(context)
    found = []
    for row in model.signatures:
        if signature in (None, row.key):
            found.append(builder.target(row.key, row.subgraph, row.inputs, row.outputs))
    if signature is not None and not found:
        keys = ", ".join(row.key for row in model.signatures)
        raise UserError(
            f"the model has no signature {signature!r}",
            hint=f"it has {keys}" if keys else "it has no signatures at all",
        )
    if not found:
        subgraph = model.subgraph(0)
        inputs, outputs = _named(subgraph, subgraph.inputs), _named(subgraph, subgraph.outputs)
        found.append(builder.target(None, 0, inputs, outputs))
    return tuple(found)


def _named(subgraph: Subgraph, tensors: Iterable[int]) -> tuple[tuple[str, int], ...]:
    """Tensor names, made unique where the file repeats them."""
    rows: dict[str, int] = {}
    for index in tensors:
        name = subgraph.tensor(index).name or f"tensor {index}"
        rows[f"{name}#{index}" if name in rows else name] = index
    return tuple(rows.items())


class _Builder:
    """Makes targets; what is known of a subgraph is found out once, whoever reaches it."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.facts: dict[int, tuple[frozenset[str], bool, bool]] = {}

    def target(
        self,
        key: str | None,
        number: int,
        inputs: Iterable[tuple[str, int]],
        outputs: Iterable[tuple[str, int]],
    ) -> RunTarget:
        subgraph = self.context.model.subgraph(number)
        reached = [self.of(index) for index in self.context.calls.reachable(number)]
        return RunTarget(
            signature=key,
            subgraph=number,
            inputs=tuple(RunTensor(name, subgraph.tensor(index)) for name, index in inputs),
            outputs=tuple(RunTensor(name, subgraph.tensor(index)) for name, index in outputs),
            flex=tuple(sorted(frozenset[str]().union(*(flex for flex, _, _ in reached)))),
            random=any(random for _, random, _ in reached),
            quantised=any(quantised for _, _, quantised in reached),
        )

    def of(self, index: int) -> tuple[frozenset[str], bool, bool]:
        """Flex operators, randomness and quantization of one subgraph."""
        if index not in self.facts:
            subgraph = self.context.model.subgraph(index)
            flex = frozenset(o.name for o in subgraph.operators if o.is_flex)
            random = any(map(_is_random, subgraph.operators))
            self.facts[index] = flex, random, _is_quantised(subgraph)
        return self.facts[index]


def _is_random(operator: Operator) -> bool:
    if operator.is_flex:
        return operator.name.startswith(_FLEX_RANDOM)
    if operator.code not in _RANDOM:
        return False
    options = operator.options(schema.BuiltinOptions.RandomOptions)
    return options is None or not any(options.scalar(slot, "q") for slot in _SEEDS)


def _is_quantised(subgraph: Subgraph) -> bool:
    return any(type_name(number) in _QUANTISED for number in set(subgraph.tensor_columns.types))
