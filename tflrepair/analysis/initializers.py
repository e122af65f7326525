"""Which constant gives a variable its initial value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflrepair.analysis.resources import ResourceId, Uses
from tflrepair.errors import BadFileError
from tflrepair.format import schema
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model


@dataclass(frozen=True)
class Initial:
    """A constant that an initializer assigns: which tensor and buffer hold it.

    ``via`` is ``constant``, or ``dequantize`` where a float16 constant is widened first.
    """

    site: OperatorRef
    target: int
    tensor: int
    buffer: int
    via: str


class Initials:
    """Finds initial values in the subgraphs that CALL_ONCE leads to (``targets``)."""

    def __init__(self, model: Model, uses: Uses, targets: Iterable[int]) -> None:
        self.model = model
        self.uses = uses
        self.producers: dict[int, dict[int, int]] = {
            index: {
                tensor: number
                for number, made in enumerate(model.subgraph(index).operator_columns.outputs)
                for tensor in made
            }
            for index in targets
        }

    def find(self, key: ResourceId) -> Initial | None:
        """The constant that the first initializer assigns to ``key``; None if it is computed.

        Raises:
            BadFileError: the constant's buffer does not exist.
        """
        assigned = set(self.uses.assigned.get(key, ()))
        for site, index in self.uses.values.get(key, ()):
            if site.subgraph in self.producers and site in assigned:
                return self._constant(site, index)
        return None

    def _constant(self, site: OperatorRef, index: int) -> Initial | None:
        producers = self.producers[site.subgraph]
        via = "constant"
        subgraph = self.model.subgraph(site.subgraph)
        if index in producers:
            producer = subgraph.operator(producers[index])
            if producer.code != schema.BuiltinOperator.DEQUANTIZE or len(producer.inputs) != 1:
                return None
            index, via = producer.inputs[0], "dequantize"
        if index < 0 or index in producers or index in subgraph.inputs:
            return None
        tensor = subgraph.tensor(index)
        if not 0 <= tensor.buffer < self.model.buffer_count:
            raise BadFileError(
                f"buffer {tensor.buffer} does not exist",
                where=f"subgraph {site.subgraph}, tensor {index}",
            )
        return Initial(site, site.subgraph, index, tensor.buffer, via)
