"""Which constant gives a variable its initial value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflrepair.analysis.resources import ResourceId, Uses
from tflrepair.errors import BadFileError
from tflrepair.format import schema
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator


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
        self.producers: dict[int, dict[int, Operator]] = {
            index: {t: o for o in model.subgraph(index).operators for t in o.outputs}
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
        producer = producers.get(index)
        if producer is not None:
            if producer.code != schema.BuiltinOperator.DEQUANTIZE or len(producer.inputs) != 1:
                return None
            index, via = producer.inputs[0], "dequantize"
        subgraph = self.model.subgraph(site.subgraph)
        if index < 0 or index in producers or index in subgraph.inputs:
            return None
        tensor = subgraph.tensor(index)
        if not 0 <= tensor.buffer < len(self.model.buffers):
            raise BadFileError(
                f"buffer {tensor.buffer} does not exist",
                where=f"subgraph {site.subgraph}, tensor {index}",
            )
        return Initial(site, site.subgraph, index, tensor.buffer, via)
