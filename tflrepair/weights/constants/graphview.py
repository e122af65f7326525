"""A subgraph seen from its inputs: what depends on them, and what the converter could compute."""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator, Subgraph

_OP = schema.BuiltinOperator
MOST_STEPS = 64  # that a value is followed; a damaged file may have a chain of any length
_RANDOM = frozenset({_OP.RANDOM_UNIFORM, _OP.RANDOM_STANDARD_NORMAL, _OP.MULTINOMIAL})
# These keep the order of the elements.
RESHAPES = frozenset({_OP.RESHAPE, _OP.SQUEEZE, _OP.EXPAND_DIMS})
# These move elements, drop some or repeat some, and compute nothing. Input 0 holds the data, but
# for SPLIT and those that join several tensors.
_MOVES = RESHAPES | {
    _OP.TRANSPOSE, _OP.SPACE_TO_BATCH_ND, _OP.BATCH_TO_SPACE_ND, _OP.STRIDED_SLICE, _OP.SLICE,
    _OP.PAD, _OP.PADV2, _OP.MIRROR_PAD, _OP.SPLIT_V, _OP.UNPACK, _OP.BROADCAST_TO, _OP.TILE,
    _OP.CAST, _OP.DEPTH_TO_SPACE, _OP.SPACE_TO_DEPTH, _OP.REVERSE_V2, _OP.GATHER,
}  # fmt: skip
_JOINS = frozenset({_OP.CONCATENATION, _OP.PACK})


class GraphView:
    """Producers and consumers of each tensor, and which tensors are data.

    A tensor is *data* if it depends on an input of the subgraph or on chance. What is not data is
    known at conversion where every variable has a value: the converter may compute with it.
    """

    def __init__(self, model: Model, graph: Subgraph) -> None:
        self.model = model
        self.graph = graph
        self.producers: dict[int, Operator] = {}
        self.consumers: dict[int, list[tuple[Operator, int]]] = {}
        self.inputs = frozenset(graph.inputs)
        self.data = set(graph.inputs)
        for op in graph.operators:
            for position, tensor in enumerate(op.inputs):
                if tensor >= 0:
                    self.consumers.setdefault(tensor, []).append((op, position))
            for tensor in op.outputs:
                self.producers[tensor] = op
            if op.code in _RANDOM or not self.data.isdisjoint(op.inputs):
                self.data.update(op.outputs)

    def is_known(self, tensor: int) -> bool:
        """Whether the tensor is there and depends on constants and variables only."""
        return tensor >= 0 and tensor not in self.data

    def moved(self, op: Operator) -> Iterator[int]:
        """The data tensors that the operator only moves into its outputs; none if it computes."""
        if op.code in _JOINS:
            yield from (tensor for tensor in op.inputs if tensor in self.data)
        elif op.code in _MOVES or op.code == _OP.SPLIT:
            position = 1 if op.code == _OP.SPLIT else 0
            if position < len(op.inputs) and op.inputs[position] in self.data:
                yield op.inputs[position]

    def origin(self, tensor: int) -> int:
        """Where the elements of ``tensor`` come from, in the same order."""
        for _ in range(MOST_STEPS):
            op = self.producers.get(tensor)
            if op is None or op.code not in RESHAPES or not op.inputs or op.inputs[0] < 0:
                break
            tensor = op.inputs[0]
        return tensor

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.graph.tensor(tensor).shape

    def stored(self, tensor: int) -> int:
        """How many bytes a constant has; 0 for what is no constant."""
        if tensor < 0 or tensor in self.producers or tensor in self.inputs:
            return 0
        return self.model.buffer(self.graph.tensor(tensor).buffer).length

    def constant(self, tensor: int) -> memoryview | None:
        """The bytes of a constant; None for what is no constant."""
        if not self.stored(tensor):
            return None
        return self.model.buffer_bytes(self.graph.tensor(tensor).buffer)
