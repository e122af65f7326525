"""What ``fix`` did, or would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.variables import Variable
from tflrepair.commands.fix.options import Check
from tflrepair.commands.scan import ScanResult
from tflrepair.execution.result import Unchecked, VerifyReport
from tflrepair.notebook import Presentable
from tflrepair.passes.graft.plan import GraftPlan

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row


@dataclass(frozen=True, repr=False)
class FixResult(Presentable):
    """What ``fix`` did, or would do.

    Attributes:
        before, after: scans of the model and of what was written (None if nothing was).
        table: where each value comes from; None if no value was needed.
        plan: the graft; None if a dry run found problems that must be decided first.
        out: path of the new file; None for a dry run and where there was nothing to fix.
        target: path that the new file has or would have had.
        size: bytes of the new file (0 where there is none).
        notes: what the strategy did beyond the graft, in words.
        run: what running the new file showed, or the old one where there was nothing to fix and
            ``check`` asked for it; None where nothing was run.
        not_run: why the new file was not run, in words; empty if it was, or there is none.
        check: (inputs, expected outputs) that the result must answer; None if not asked for.
    """

    before: ScanResult
    table: MatchTable | None
    plan: GraftPlan | None
    out: str | None = None
    target: str = ""
    size: int = 0
    after: ScanResult | None = None
    notes: tuple[str, ...] = ()
    run: VerifyReport | None = None
    not_run: str = ""
    check: Check | None = None

    def headline(self) -> str:
        model = self.before.model.path or "model"
        if not self.changes:
            return f"{model}: nothing to do"
        end = "something is left to look at" if self.problems else "nothing wrong found"
        return f"{model}: {f'written {self.out}' if self.out else 'nothing written'}; {end}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each variable that got a value."""
        return [
            {
                "variable": row.target.shared_name,
                "origin": str(row.origin),
                "source": row.weight.source if row.weight else None,
                "path": row.weight.path if row.weight else None,
                "reason": row.reason,
                "confidence": str(row.confidence),
            }
            for row in (self.table.rows if self.table is not None else ())
        ]

    @property
    def changes(self) -> bool:
        """Whether there was anything to do."""
        return self.out is not None or self.plan is None or self.plan.changes

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of what was written, or of the model where nothing was."""
        return (self.after or self.before).variables

    @property
    def problems(self) -> bool:
        """Whether something is left that the user must look at."""
        if self.table is not None and self.table.problems:
            return True
        if self.after is None:  # a dry run is judged by its plan, a model left alone by its scan
            left = bool(self.unproven) and self.check is None  # --check is what would prove it
            return left or (not self.changes and not self.before.ok)
        if self.unproven:
            return True
        return not self.after.ok or (self.run is not None and self.run.exit_code == 1)

    @property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """Signatures of the new file that nothing has run."""
        if self.out is None:
            return ()
        if self.run is not None:
            return self.run.unchecked
        model = (self.after or self.before).model
        return tuple(Unchecked(s.key, "nothing was run") for s in model.signatures)

    @property
    def unproven(self) -> tuple[Row, ...]:
        """Values that rest on an assumption which nothing has proven, not even running."""
        return self.table.unproven if self.table is not None else ()
