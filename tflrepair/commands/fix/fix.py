"""Repair a model: scan, match weights, plan, graft, and check what was written.

Precondition: every variable that is read unset gets exactly one value (``plan.check_graftable``).
Postcondition, checked on the written bytes before they get their name: the file reads back, no
variable is read unset, and where LiteRT is installed every signature that it can run gives the
same answer in fresh interpreters.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair.commands.fix.planning import (
    MatchOptions,
    Weights,
    check_options,
    match_fix,
    open_all,
    plan_fix,
)
from tflrepair.commands.fix.resolve_by_running import decide
from tflrepair.commands.fix.strategies import GRAFT, Origin, Stage, stages
from tflrepair.commands.scan import ScanResult, scan
from tflrepair.errors import RefusedError
from tflrepair.files import atomic, check_free, check_no_input, write
from tflrepair.graph.model import Model, load
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan, checkpoint_renames, missing_calls, needing_values

if TYPE_CHECKING:
    from tflrepair.execution.result import VerifyReport
    from tflrepair.rebuild.lower.choose import NoFlex
    from tflrepair.weights import MatchTable

Progress = Callable[[str, int, int], None]
Check = tuple[str | os.PathLike[str], str | os.PathLike[str]]


@dataclass(frozen=True)
class FixResult:
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
            ``check`` asked for it; None without a runtime.
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
    check: Check | None = None

    @property
    def changes(self) -> bool:
        """Whether there was anything to do."""
        return self.out is not None or self.plan is None or self.plan.changes

    @property
    def problems(self) -> bool:
        """Whether something is left that the user must look at."""
        if self.table is not None and self.table.problems:
            return True
        if self.after is None:  # a dry run is judged by its plan, a model left alone by its scan
            return not self.changes and not self.before.ok
        return not self.after.ok or (self.run is not None and self.run.exit_code == 1)


def fix(
    model: str | os.PathLike[str],
    weights: Weights = (),
    *,
    out: str | os.PathLike[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    by_name: bool = False,
    allow_rounding: bool = False,
    replace_values: bool = False,
    check: Check | None = None,
    strategy: str = GRAFT,
    freeze: bool = False,
    origin: Origin | None = None,
    no_flex: NoFlex | None = None,
    map_out: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> FixResult:
    """Give every variable of a model its initial value, in a new file.

    Args:
        model: the .tflite file; it is never changed.
        weights: files or objects that hold the values (see docs/weights.md).
        out: the new file; default: beside the model, with the suffix ``.fixed.tflite``.
        mapping: shared name -> path of an array in ``weights``; decides what matching cannot.
        sets: shared name -> value of every element, such as a learning rate.
        by_name: the names in ``weights`` are the model's own variable names; take them as they are.
        allow_rounding: floats of more precision than a variable has are rounded to the nearest.
        replace_values: give variables that have an initial value a new one, too.
        check: (inputs, expected outputs), each an .npz: the result must answer so. Where the
            weights can be read in several ways, the only one that answers so is taken.
        strategy: ``graft``, ``optimize`` (then freeze and fold) or ``rebuild`` (then reconvert).
        freeze: after the graft, turn variables that nothing assigns into constants.
        origin: for ``rebuild``, what to build from; default: the .tflite alone.
        no_flex: rebuild the repaired model without Flex operators (needs TensorFlow).
        map_out: write the match here as a JSON map, to be edited and given back as ``mapping``.
        dry_run: match and plan only. Problems are in ``table.problems`` instead of raised.
        force: replace ``out`` if it exists.
        progress: told (step, done, total) now and then.

    Raises:
        BadFileError: the model or a weights file is damaged or of another kind.
        UserError: an unknown name, or ``out`` exists.
        RefusedError: a value is missing or ambiguous, or the result failed its own check;
            nothing is written.
        UnsupportedError: the model needs what the strategy cannot do.
    """
    tell = progress or (lambda step, done, total: None)
    further = stages(strategy, freeze, origin or Origin(), no_flex)
    target = Path(out) if out is not None else default_output(Path(model))
    _check_outputs(target, map_out, [model, *_paths(weights), *(check or ())], force, dry_run)
    tell("scanning", 0, 0)
    before = scan(load(model))
    tell("matching weights", 0, 0)
    wishes = MatchOptions(mapping or {}, sets or {}, replace_values, by_name, allow_rounding)
    check_options(before, wishes)
    sources = open_all(weights)
    if check is not None:
        _check_readable(check)
    table = match_fix(before, sources, wishes)
    if table is not None and check is not None and not dry_run:
        plan_of = partial(plan_fix, before)
        table = decide(before.model, table, plan_of, partial(_answers, check), tell)
    plan = None if table is not None and table.problems else plan_fix(before, table)
    result = FixResult(before, table, plan, target=str(target), check=check)
    if map_out is not None and table is not None:
        text = json.dumps(table.to_map(), indent=2, sort_keys=True) + "\n"
        write(Path(map_out), text.encode(), force)
    if table is not None and not dry_run:
        table.require()
    if dry_run or plan is None:
        return result
    if not (plan.changes or further):
        return _left_alone(result, tell)
    with atomic(target, force) as temporary:
        _graft(result.before.model, plan, temporary, tell)
        notes = _stages(further, temporary, tell)
        if not plan.changes and not notes:
            temporary.unlink()
            return _left_alone(result, tell)
        result = _checked(replace(result, notes=notes), temporary, tell)
        result = replace(result, run=_run(temporary, check, tell))
    return _named(result, str(target))


def _check_outputs(
    target: Path,
    map_out: str | os.PathLike[str] | None,
    inputs: list[str | os.PathLike[str]],
    force: bool,
    dry_run: bool,
) -> None:
    """Refuse outputs that must not or cannot be written before any work is done.

    Raises:
        UserError: see ``check_no_input`` and ``check_free``; or both outputs are one file.
    """
    check_no_input(target, inputs)
    if map_out is not None:
        check_no_input(Path(map_out), [*inputs, target])
        check_free(Path(map_out), force)
    if not dry_run:
        check_free(target, force)


def _paths(weights: Weights) -> list[str | os.PathLike[str]]:
    return [each for each in weights if isinstance(each, (str, os.PathLike))]


def _check_readable(check: Check) -> None:
    """Raises BadFileError if a file of the check is missing or no .npz."""
    from tflrepair.execution import inputs

    inputs.read(check[0], "the inputs of the check")
    inputs.read(check[1], "the expected outputs of the check")


def _left_alone(result: FixResult, tell: Progress) -> FixResult:
    """``result`` where nothing is to be written: the model itself must pass the check, if any."""
    if result.check is None:
        return result
    tell("running the model", 0, 0)
    return replace(result, run=_expect(Path(str(result.before.model.path)), result.check))


def default_output(model: Path) -> Path:
    """``dir/model.tflite`` -> ``dir/model.fixed.tflite``."""
    stem = model.name.removesuffix(".tflite")
    return model.with_name(f"{stem}.fixed.tflite")


def _graft(model: Model, plan: GraftPlan, path: Path, tell: Progress) -> None:
    with path.open("xb") as stream:
        if plan.changes:
            graft(model, plan).write(stream, lambda done, total: tell("writing", done, total))
        else:
            stream.write(model.data)


def _stages(further: tuple[Stage, ...], path: Path, tell: Progress) -> tuple[str, ...]:
    """Run each stage on the file at ``path``, which its result replaces."""
    notes = []
    for stage in further:
        tell("reworking the graph", 0, 0)
        model = load(path)
        staged = stage(model)
        if staged is None:
            continue
        newer = path.with_name(f"{path.name}.next")
        try:
            newer.write_bytes(staged.data)
            if staged.compare:
                _agree(newer, path)
            newer.replace(path)
        finally:
            newer.unlink(missing_ok=True)
        notes += staged.note.splitlines()
    return tuple(notes)


def _agree(new: Path, old: Path) -> None:
    """Two independent repairs must answer alike, in all that LiteRT can run of both.

    Raises:
        RefusedError: they differ.
    """
    from tflrepair.execution import result, worker
    from tflrepair.execution.entries import entries
    from tflrepair.execution.verify import verify

    if "litert" not in worker.installed():
        return
    before, after = entries(load(old)), entries(load(new))
    dropped = {e.label for e in before if e.flex} - {e.label for e in after if e.flex}
    added = {e.label for e in after} - {e.label for e in before}
    for run in verify(new, against=old, runtimes=["litert"]).runs:
        if run.signature in dropped | added:
            continue
        for finding in run.findings:
            if finding.kind in (result.MODELS_DIFFER, result.ERROR, result.UNSET, result.CRASH):
                raise RefusedError(
                    f"`{run.signature}` of the rebuilt model and of the graft do not agree: "
                    f"{finding.message}",
                    hint="nothing was written; --strategy graft is exact",
                )


def _checked(result: FixResult, path: Path, tell: Progress) -> FixResult:
    """The postcondition that needs no runtime.

    Raises:
        RefusedError: something that was to be mended is not.
    """
    tell("checking the result", 0, 0)
    after = scan(load(path))
    unset = needing_values(after.analysis)
    renames = checkpoint_renames(after.model, after.analysis)
    if unset or renames or missing_calls(after.analysis):
        name = unset[0].name if unset else "initializer calls or checkpoint names"
        raise RefusedError(f"the result failed its own check ({name}); nothing was written")
    return replace(result, after=after, size=after.model.size)


def _run(path: Path, check: Check | None, tell: Progress) -> VerifyReport | None:
    """Run what was written, if LiteRT is installed.

    Raises:
        RefusedError: a signature crashes, still lacks a variable, or answers differently in each
            fresh interpreter; or the answers are not those of ``check``. What the weights or the
            made-up inputs can be the reason for (NaN, an index out of range) is left to the
            report.
        UnsupportedError: ``check`` is given and no runtime is installed.
    """
    from tflrepair.execution import result, worker
    from tflrepair.execution.verify import verify

    tell("running the result", 0, 0)
    if check is not None:
        _expect(path, check)
    if "litert" not in worker.installed():
        return None
    report = verify(path, runtimes=["litert"])
    for run in report.runs:
        for finding in run.findings:
            if finding.kind in (result.UNSET, result.CRASH, result.NOT_REPEATABLE):
                raise RefusedError(
                    f"`{run.signature}` of the result does not run right: {finding.message}",
                    hint="nothing was written; please report this model",
                )
    return report


def _answers(check: Check, path: Path) -> bool:
    """Whether the model answers so in one runtime; all of them have their say when it is done."""
    from tflrepair.execution import worker
    from tflrepair.execution.verify import verify

    one = ["litert"] if "litert" in worker.installed() else None
    return verify(path, inputs=check[0], expect=check[1], runtimes=one).ok


def _expect(path: Path, check: Check) -> VerifyReport:
    from tflrepair.execution.verify import verify

    report = verify(path, inputs=check[0], expect=check[1])
    if report.ok:
        return report
    found = [(r.signature, f.message) for r in report.runs for f in r.findings if f.is_problem]
    signature, message = found[0] if found else ("the model", "it cannot be run here")
    raise RefusedError(
        f"`{signature}` does not answer as expected: {message}",
        hint="nothing was written; look at the match with --dry-run",
    )


def _named(result: FixResult, name: str) -> FixResult:
    """``result`` with the output's own name in the place of the temporary one."""
    after = result.after
    return replace(
        result,
        out=name,
        after=replace(after, model=replace(after.model, path=name)) if after else None,
        run=replace(result.run, model=name) if result.run else None,
    )
