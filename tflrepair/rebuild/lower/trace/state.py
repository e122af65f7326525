"""What one tracing keeps: what was left, seeds, constants, symbols of open sizes."""

from __future__ import annotations

import zlib
from typing import Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import UnsupportedError
from tflrepair.graph.location import OperatorRef
from tflrepair.rebuild.ir.steps import Plan
from tflrepair.rebuild.ir.tensor_facts import constant
from tflrepair.rebuild.lower.trace.made import Record
from tflrepair.rebuild.lower.trace.probes import Symbols, register
from tflrepair.rebuild.run.trace import Frame, Resources, Tracer
from tflrepair.wording import plural

MOST_STEPS = 20_000  # that unrolled loops of one signature may become


class Variable:
    """A resource variable as lowerings see it."""

    def __init__(self, resources: Resources, key: ResourceId) -> None:
        self._resources = resources
        self._key = key

    def read(self) -> Any:
        return self._resources.read(self._key)

    def assign(self, value: Any) -> None:
        self._resources.assign(self._key, value)


class LoweringState(Tracer):
    """What is known while a signature is traced in operators that have builtins.

    Attributes:
        left: operators without a lowering that were met, where, and why if one would do for others;
            the caller refuses them.
        unrolled: how many turns each unrolled loop has.
        made: what TensorFlow operators became.
    """

    def __init__(self, plan: Plan, resources: Resources, label: str) -> None:
        super().__init__(plan, resources)
        register()
        self.left: dict[OperatorRef, tuple[str, str]] = {}
        self.unrolled: dict[OperatorRef, int] = {}
        self.made = Record()
        self._seed = zlib.crc32(label.encode()) & 0x3FFFFFFF
        self._steps = 0
        self.symbols = Symbols()
        self.origins: dict[int, tuple[Any, Any]] = {}  # id -> (the tensor, whose batch it has)
        self._constants: dict[tuple[int, int, int], tuple[Any, Any]] = {}

    def seed(self) -> int:
        """Another one at each call; its successor belongs to it, too."""
        self._seed += 2
        return self._seed

    def spend(self, steps: int, site: OperatorRef) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise UnsupportedError(
                f"unrolling its loops would make more than {plural(MOST_STEPS, 'operator')} "
                "of this "
                "signature",
                where=f"subgraph {site.subgraph}, operator {site.operator}",
                hint="train on shorter sequences, or on fewer layers",
            )

    def constant(self, frame: Frame, tensor: int) -> Any:
        """A constant of the file as a tensor, once for each graph."""
        import tensorflow as tf

        graph = tf.compat.v1.get_default_graph()
        place = (id(graph), frame.subgraph.index, tensor)
        if place not in self._constants:
            value = tf.constant(constant(self.plan.model, frame.subgraph.tensor(tensor)))
            self._constants[place] = (graph, value)  # the graph must live as long as its number
        return self._constants[place][1]
