"""Graft ``get_weights`` and ``set_weights`` onto a model.

Promises: every byte of the old file stays (file positions excepted), all indices keep their
meaning, every signature answers as before; after ``set_weights`` with what ``get_weights`` gave,
another interpreter answers as the first did. Needs no runtime and no TensorFlow.

Idempotent: a model that has both signatures with these variables is left as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.format import schema
from tflrepair.format.splice import Head
from tflrepair.format.types import type_code
from tflrepair.graph.model import Model
from tflrepair.passes.add_state.plan import DONE, GET, SET, TRAINED, StatePlan, plan_state
from tflrepair.rewrite import relocation
from tflrepair.rewrite.contract import Change
from tflrepair.rewrite.operators import NewOperators


@dataclass(frozen=True)
class AddStatePass:
    """Both signatures added; nothing where the model has them."""

    state: str = TRAINED
    title: str = "adding get_weights and set_weights"

    def requires(self, before: AnalysisContext) -> None:
        plan_state(before, self.state)

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        plan = plan_state(before, self.state)
        return Change(add_state(before.model, plan)) if plan.changes else None

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        """Raises RefusedError if a signature is missing or not as planned."""
        names = [row.name for row in plan_state(before, self.state).held]
        found = {s.key: s for s in after.model.signatures}
        right = (
            {GET, SET} <= found.keys()
            and [name for name, _ in found[GET].outputs] == names
            and [name for name, _ in found[SET].inputs] == names
        )
        if not right or any(v.unset_in for v in after.analysis.variables):
            raise RefusedError("the result failed its own check; nothing was written")


def add_state(model: Model, plan: StatePlan) -> relocation.Prefixed:
    """The new file, not yet written.

    Raises:
        UnsupportedError: a table that must be copied has a field newer than our schema.
    """
    return relocation.prefixed(model, lambda head: _Tables(model, plan, head).build())


class _Tables:
    """The new tables, built by ``build`` into ``head``."""

    def __init__(self, model: Model, plan: StatePlan, head: Head) -> None:
        self.model = model
        self.plan = plan
        self.head = head
        self.operators = NewOperators(head, model)
        self.buffers = relocation.buffers(head, model)
        self.empty = len(self.buffers)  # for tensors that are computed
        self.buffers.append(head.table("Buffer", {}))
        self.calls = [self.operators.call_once(target) for target in plan.targets]

    def build(self) -> bytes:
        head, model = self.head, self.model
        subgraphs = [relocation.subgraph_table(head, subgraph) for subgraph in model.subgraphs]
        first = len(subgraphs)
        subgraphs += [self._get(), self._set()]
        signatures = [head.old(p) for p in model.root.tables(schema.Model.SIGNATURE_DEFS)]
        count = len(self.plan.held)
        values = [(row.name, count + n) for n, row in enumerate(self.plan.held)]
        signatures += [
            head.signature(GET, first, [], values),
            head.signature(SET, first + 1, values, [(DONE, 2 * count)]),
        ]
        slot = schema.Model
        fields = {
            slot.OPERATOR_CODES: head.tables(self.operators.codes),
            slot.SUBGRAPHS: head.tables(subgraphs),
            slot.BUFFERS: head.tables(self.buffers),
            slot.SIGNATURE_DEFS: head.tables(signatures),
        }
        return head.finish(head.copy("Model", model.root, fields))

    # Tensors of both subgraphs: the handles, then the values, in the order of the plan.

    def _get(self) -> int:
        count = len(self.plan.held)
        reads = [self.operators.read(n, count + n) for n in range(count)]
        return self._subgraph(GET, [], range(count, 2 * count), self._tensors(), reads)

    def _set(self) -> int:
        count = len(self.plan.held)
        assigns = [self.operators.assign(n, count + n) for n in range(count)]
        tensors = [*self._tensors(), self._done()]
        return self._subgraph(SET, range(count, 2 * count), [2 * count], tensors, assigns)

    def _subgraph(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        tensors: list[int],
        rest: list[int],
    ) -> int:
        handles = [self.operators.var_handle(row.key, n) for n, row in enumerate(self.plan.held)]
        slot = schema.SubGraph
        fields = {
            slot.TENSORS: self.head.tables(tensors),
            slot.INPUTS: self.head.numbers(list(inputs)),
            slot.OUTPUTS: self.head.numbers(list(outputs)),
            slot.OPERATORS: self.head.tables([*self.calls, *handles, *rest]),
            slot.NAME: self.head.string(name),
        }
        return self.head.table("SubGraph", fields)

    def _tensors(self) -> list[int]:
        kind = schema.TensorType.RESOURCE
        handles = [self._tensor(row.key.shared_name, kind, ()) for row in self.plan.held]
        values = [self._tensor(r.name, type_code(r.dtype), r.shape) for r in self.plan.held]
        return handles + values

    def _done(self) -> int:
        data = self.head.data(struct.pack("<i", 1))
        self.buffers.append(self.head.table("Buffer", {schema.Buffer.DATA: data}))
        return self._tensor(DONE, schema.TensorType.INT32, (), len(self.buffers) - 1)

    def _tensor(self, name: str, kind: int, shape: tuple[int, ...], buffer: int = -1) -> int:
        slot = schema.Tensor
        fields = {
            slot.SHAPE: self.head.numbers(shape),
            slot.TYPE: kind,
            slot.BUFFER: self.empty if buffer < 0 else buffer,
            slot.NAME: self.head.string(name),
            slot.HAS_RANK: 1,
        }
        return self.head.table("Tensor", fields)
