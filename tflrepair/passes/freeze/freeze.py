"""The freeze: variables that nothing can assign become constants.

READ_VARIABLE's output takes the buffer that the initializer assigns; the operators that have
nothing left to do go: the READ_VARIABLE, a VAR_HANDLE that nobody else uses, the initializer's
ASSIGN_VARIABLE, and the CALL_ONCE of an initializer that is empty then. Of a float16
value that the initializer widens, the reader gets the DEQUANTIZE and the float16 constant.

Promises: answers are the same bit for bit (READ_VARIABLE copies the same bytes), every byte of
the old file stays behind the new tables, indices of subgraphs, tensors and buffers keep their
meaning, and so do signatures. What is not frozen is not touched.

Idempotent: what is frozen is read no more, so a second plan does not change anything.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError
from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Subgraph
from tflrepair.passes.freeze.plan import FreezePlan, check_freezable, operator_ref, plan_freeze
from tflrepair.passes.freeze.write import rewrite
from tflrepair.rewrite.contract import Change
from tflrepair.rewrite.relocation import Prefixed
from tflrepair.wording import plural, verb


@dataclass(frozen=True)
class Frozen:
    """A finished freeze, not yet written; ``file`` is None where there is nothing to freeze."""

    model: Model
    plan: FreezePlan
    file: Prefixed | None

    @property
    def size(self) -> int:
        return self.file.size if self.file else self.model.size


@dataclass(frozen=True)
class FreezePass:
    """The freeze as a pass."""

    title: str = "freezing"

    def requires(self, before: AnalysisContext) -> None:
        check_freezable(before)

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        frozen = freeze(before)
        if frozen.file is None:
            return None
        count = len(frozen.plan.frozen)
        notes = [f"{plural(count, 'variable')} became {verb(count, 'a constant', 'constants')}"]
        for reason, count in Counter(why for _, why in frozen.plan.kept).most_common():
            notes.append(f"{count} {verb(count, 'stays a variable', 'stay variables')}: {reason}")
        return Change(frozen.file, "; ".join(notes))

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_frozen(before.model, before.once(plan_freeze), after)


def freeze(context: AnalysisContext) -> Frozen:
    """Freeze what can be frozen; see ``Frozen.plan`` for what was and was not, and why.

    Raises:
        RefusedError: a variable has no value yet.
        UnsupportedError: metadata counts operators, or a table that must be copied has a field
            newer than our schema.
        BadFileError: the file is damaged.
    """
    model, plan = context.model, context.once(plan_freeze)
    return Frozen(model, plan, rewrite(model, plan) if plan.changes else None)


def check_frozen(before: Model, plan: FreezePlan, written: AnalysisContext) -> None:
    """The postcondition, on the written bytes.

    Raises:
        RefusedError: the new file is not the old one without the dropped operators.
    """
    after = written.model
    right = after.signatures == before.signatures and len(after.subgraphs) == len(before.subgraphs)
    right = right and after.metadata == before.metadata
    for old, new in zip(before.subgraphs, after.subgraphs, strict=False):
        right = right and _planned(plan, old) == [
            (o.code, o.name, o.inputs, o.outputs) for o in new.operators
        ]
        ends = old.name, old.inputs, old.outputs
        right = right and ends == (new.name, new.inputs, new.outputs)
        added = sum(row.widened_by is not None for row in plan.by_subgraph.get(old.index, []))
        right = right and new.tensor_count == old.tensor_count + added
    found = written.analysis
    again = plan_freeze(written)
    if not right or again.changes or any(v.unset_in and v.read_by for v in found.variables):
        raise RefusedError("the frozen model failed its own check; nothing was written")


def _planned(
    plan: FreezePlan, subgraph: Subgraph
) -> list[tuple[int, str, tuple[int, ...], tuple[int, ...]]]:
    """Code, name, inputs and outputs of the operators that are to be in the new subgraph."""
    rows: list[tuple[int, str, tuple[int, ...], tuple[int, ...]]] = []
    half = subgraph.tensor_count
    for operator in subgraph.operators:
        if operator_ref(operator) in plan.widened:
            code = schema.BuiltinOperator.DEQUANTIZE
            rows.append((code, "DEQUANTIZE", (half,), operator.outputs))
            half += 1
        elif operator_ref(operator) not in plan.dropped:
            rows.append((operator.code, operator.name, operator.inputs, operator.outputs))
    return rows
