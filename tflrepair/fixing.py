"""Repair a model: scan, match weights, plan, graft, and check what was written.

Precondition: every variable that is read unset gets exactly one value (``plan.check_graftable``).
Postcondition, checked on the written bytes before they get their name: the file reads back, no
variable is read unset, the old bytes are all there, and where LiteRT is installed every
signature that it can run gives the same answer in fresh interpreters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.errors import RefusedError
from tflrepair.files import atomic, check_free
from tflrepair.model import load
from tflrepair.repair.graft import Graft, graft
from tflrepair.repair.plan import (
    GraftPlan,
    NewValue,
    check_graftable,
    checkpoint_renames,
    missing_calls,
    needing_values,
)
from tflrepair.scanning import ScanResult, scan
from tflrepair.variables import Variable

if TYPE_CHECKING:
    from tflrepair.runtime.result import VerifyReport
    from tflrepair.weights import MatchTable, Row

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FixResult:
    """What ``fix`` did, or would do.

    Attributes:
        before, after: scans of the model and of what was written (None if nothing was).
        table: where each missing value comes from; None if no value was missing.
        plan: the graft; None if a dry run found problems that must be decided first.
        out: path of the new file; None for a dry run and where there was nothing to fix.
        size: bytes of the new file (0 where there is none).
        run: what running the new file showed; None without a runtime.
    """

    before: ScanResult
    table: MatchTable | None
    plan: GraftPlan | None
    out: str | None = None
    size: int = 0
    after: ScanResult | None = None
    run: VerifyReport | None = None

    @property
    def changes(self) -> bool:
        """Whether there was anything to fix."""
        return self.plan is None or self.plan.changes

    @property
    def problems(self) -> bool:
        """Whether something is left that the user must look at."""
        if self.table is not None and self.table.problems:
            return True
        scanned = self.after or self.before
        if not scanned.ok and not (self.changes and self.after is None):
            return True
        return self.run is not None and self.run.exit_code == 1


def fix(
    model: str | os.PathLike[str],
    weights: Sequence[str | os.PathLike[str]] = (),
    *,
    out: str | os.PathLike[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> FixResult:
    """Give every variable of a model its initial value, in a new file.

    Args:
        model: the .tflite file; it is never changed.
        weights: files that hold the values (see docs/weights.md).
        out: the new file; default: beside the model, with the suffix ``.fixed.tflite``.
        mapping: shared name -> path of an array in ``weights``; decides what matching cannot.
        sets: shared name -> value of every element, such as a learning rate.
        dry_run: match and plan only. Problems are in ``table.problems`` instead of raised.
        force: replace ``out`` if it exists.
        progress: told (step, done, total) now and then.

    Raises:
        BadFileError: the model or a weights file is damaged or of another kind.
        UserError: an unknown name, or ``out`` exists.
        RefusedError: a value is missing or ambiguous, or the result failed its own check;
            nothing is written.
        UnsupportedError: the model needs what a graft cannot do.
    """
    tell = progress or (lambda step, done, total: None)
    tell("scanning", 0, 0)
    before = scan(load(model))
    check_graftable(before.model, before.analysis)
    needy = needing_values(before.analysis)
    calls = missing_calls(before.analysis)
    renames = checkpoint_renames(before.model, before.analysis)
    if not needy and not calls and not renames:
        return FixResult(before, None, GraftPlan((), (), ()))
    target = Path(out) if out is not None else default_output(Path(model))
    if not dry_run:
        check_free(target, force)
    tell("matching weights", 0, 0)
    table = _match(before, needy, weights, mapping or {}, sets or {})
    if dry_run and table.problems:
        return FixResult(before, table, None)
    table.require()
    plan = GraftPlan(
        entries=tuple(entry.subgraph for entry in before.analysis.entries),
        values=_values(needy, table),
        calls=calls,
        renames=renames,
    )
    if dry_run:
        return FixResult(before, table, plan)
    return _write(FixResult(before, table, plan), graft(before.model, plan), target, force, tell)


def default_output(model: Path) -> Path:
    """``dir/model.tflite`` -> ``dir/model.fixed.tflite``."""
    stem = model.name.removesuffix(".tflite")
    return model.with_name(f"{stem}.fixed.tflite")


def _match(
    before: ScanResult,
    needy: tuple[Variable, ...],
    paths: Sequence[str | os.PathLike[str]],
    mapping: Mapping[str, str],
    sets: Mapping[str, str | float],
) -> MatchTable:
    from tflrepair import weights

    names = [variable.name for variable in needy]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedError(f"two containers hold a variable named {twice[0]!r}")
    sources = [weights.open_weights(path) for path in paths]
    targets = weights.targets_of(before.model, needy)
    return weights.match(targets, sources, mapping=mapping, sets=sets)


def _values(needy: tuple[Variable, ...], table: MatchTable) -> tuple[NewValue, ...]:
    """The rows of a complete table as values to graft, in the order of the variables."""
    rows = {row.target.shared_name: row for row in table.rows}
    values = []
    for variable in needy:
        row = rows[variable.name]

        values.append(
            NewValue(
                key=variable.key,
                dtype=variable.dtype or "",
                shape=row.shape,
                nbytes=row.nbytes,
                origin=row.weight.path if row.weight else row.reason,
                read=partial(_little_endian, row),
            )
        )
    return tuple(values)


def _little_endian(row: Row) -> bytes:
    value = row.value()
    return value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()


def _write(planned: FixResult, new: Graft, target: Path, force: bool, tell: Progress) -> FixResult:
    with atomic(target, force) as (stream, temporary):
        new.write(stream, lambda done, total: tell("writing", done, total))
        stream.flush()
        tell("checking the result", 0, 0)
        after = _check_written(new, temporary)
        report = _run(temporary, tell)
    name = str(target)
    return replace(
        planned,
        out=name,
        size=new.size,
        after=replace(after, model=replace(after.model, path=name)),
        run=replace(report, model=name) if report else None,
    )


def _check_written(new: Graft, path: Path) -> ScanResult:
    """The postcondition that needs no runtime. Raises RefusedError if it does not hold."""
    after = scan(load(path))
    unset = needing_values(after.analysis)
    renames = checkpoint_renames(after.model, after.analysis)
    if unset or renames or missing_calls(after.analysis):
        name = unset[0].name if unset else "initializer calls or checkpoint names"
        raise RefusedError(f"the result failed its own check ({name}); nothing was written")
    if after.model.size != new.size:
        raise RefusedError("the result has the wrong size; nothing was written")
    return after


def _run(path: Path, tell: Progress) -> VerifyReport | None:
    """Run what was written, if LiteRT is installed.

    Raises:
        RefusedError: a signature crashes, still lacks a variable, or answers differently in each
            fresh interpreter. What the weights or the made-up inputs can be the reason for (NaN,
            an index out of range) is left to the report.
    """
    from tflrepair.runtime import result, worker
    from tflrepair.runtime.verify import verify

    if "litert" not in worker.installed():
        return None
    tell("running the result", 0, 0)
    report = verify(path, runtimes=["litert"])
    for run in report.runs:
        for finding in run.findings:
            unset = finding.kind == result.ERROR and "variable" in finding.message
            if unset or finding.kind in (result.CRASH, result.NOT_REPEATABLE):
                raise RefusedError(
                    f"`{run.signature}` of the result does not run right: {finding.message}",
                    hint="nothing was written; please report this model",
                )
    return report
