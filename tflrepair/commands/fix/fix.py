"""Repair a model: scan, match weights, plan, graft, and check what was written.

Precondition: every variable that is read unset gets exactly one value (``plan.check_graftable``).
Postcondition, checked on the written bytes before they get their name: the file reads back, no
variable is read unset, and where LiteRT is installed every signature that it can run gives the
same answer in fresh interpreters.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tflrepair.commands.fix.acceptance import accept as accept_result
from tflrepair.commands.fix.acceptance import check_readable, delegates, expect, rounding
from tflrepair.commands.fix.advice import advice
from tflrepair.commands.fix.options import (
    GRAFT,
    Acceptance,
    Check,
    MatchOptions,
    OutputOptions,
    RepairOptions,
    Weights,
    sources_of,
)
from tflrepair.commands.fix.outputs import check_outputs, target_of
from tflrepair.commands.fix.planning import check_options, match_fix, open_all, plan_fix
from tflrepair.commands.fix.result import FixResult
from tflrepair.commands.fix.strategies import passes_after_graft
from tflrepair.commands.scan import ScanResult, scan
from tflrepair.errors import UserError
from tflrepair.execution.result import VerifyReport
from tflrepair.files import atomic, write
from tflrepair.graph.model import Source
from tflrepair.passes.graft.graft import GraftPass, check_grafted
from tflrepair.progress import Progress, silent
from tflrepair.rebuild.requests import NoFlex, Origin
from tflrepair.rewrite.contract import Pass
from tflrepair.rewrite.pipeline import run_passes


def fix(
    model: Source,
    weights: Weights = (),
    *,
    out: str | os.PathLike[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    sets: Mapping[str, str | float] | None = None,
    by_name: bool = False,
    allow_rounding: bool = False,
    learning_rate: float | str | None = None,
    accept: Sequence[str] = (),
    replace_values: bool = False,
    check: Check | None = None,
    run: bool = True,
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
        model: the .tflite file, which is never changed; or its bytes, or a Model.
        weights: what holds the values: a file, a dict of arrays, a live Keras model, or a list of
            such (see docs/weights.md).
        out: the new file; default: beside the model, with the suffix ``.fixed.tflite``. It must
            be given for a model that has no path.
        mapping: shared name -> path of an array in ``weights``; decides what matching cannot.
        sets: shared name -> value of every element, such as a learning rate.
        by_name: the names in ``weights`` are the model's own variable names; take them as they are.
        allow_rounding: floats of more precision than a variable has are rounded to the nearest.
        learning_rate: value of every learning rate that ``sets`` does not name.
        accept: names of doubts that are accepted, such as ``unused-layer`` (docs/weights.md lists
            them); the rows that rest on one are not proven.
        replace_values: give variables that have an initial value a new one, too.
        check: (inputs, expected outputs), each an .npz: the result must give these. Where the
            weights can be matched in several ways, the only one that gives them is taken.
        run: run the result before it gets its name. Without it the written bytes are read back
            and analysed, but whether they answer right is not known, and ``FixResult.not_run``
            says so.
        strategy: ``graft``, ``optimize`` (then freeze and fold) or ``rebuild`` (then reconvert).
        freeze: after the graft, turn variables that nothing assigns into constants.
        origin: for ``rebuild``, what to build from; default: the .tflite alone.
        no_flex: rebuild the repaired model without Flex operators (needs TensorFlow).
        map_out: write the match here as a JSON map, to be edited and given back as ``mapping``.
        dry_run: match and plan only. Problems are listed in ``table.problems``, not raised.
        force: replace ``out`` if it exists.
        progress: told (step, done, total) now and then.

    Raises:
        BadFileError: the model or a weights file is damaged or of another kind.
        UserError: an unknown name, or ``out`` exists; ``check`` without ``run``.
        RefusedError: a value is missing or ambiguous, or the result failed its own check;
            nothing is written.
        UnsupportedError: the model needs what the strategy cannot do.
    """
    return repair(
        model,
        weights,
        MatchOptions(
            mapping or {},
            sets or {},
            replace_values,
            by_name,
            allow_rounding,
            learning_rate,
            tuple(accept),
        ),
        RepairOptions(strategy, freeze, origin or Origin(), no_flex),
        Acceptance(check, run),
        OutputOptions(out, map_out, dry_run, force),
        progress or silent,
    )


def repair(
    model: Source,
    weights: Weights,
    match: MatchOptions,
    options: RepairOptions,
    acceptance: Acceptance,
    output: OutputOptions,
    progress: Progress,
) -> FixResult:
    """``fix`` with its options in groups. Raises as it does."""
    weights, given = sources_of(weights, options.origin)
    further = passes_after_graft(options, given)
    check_outputs(model, weights, acceptance, output, options.origin)
    if acceptance.check is not None:
        if not acceptance.run:
            raise UserError(
                "--check runs the result, and --no-run forbids it", hint="give one of the two"
            )
        check_readable(acceptance.check)
    planned = _plan(model, weights, match, acceptance, output, progress)
    if output.dry_run or planned.plan is None:
        return planned
    if not (planned.plan.changes or further):
        return _left_alone(planned, progress)
    return _written(planned, (GraftPass(planned.plan), *further), acceptance, output, progress)


def _plan(
    model: Source,
    weights: Weights,
    match: MatchOptions,
    acceptance: Acceptance,
    output: OutputOptions,
    progress: Progress,
) -> FixResult:
    """Scan, match and plan; nothing is written but the map that was asked for."""
    progress("scanning", 0, 0)
    before = scan(model)
    progress("matching weights", 0, 0)
    check_options(before.context, match)
    decides = acceptance.check is not None and not output.dry_run
    table = match_fix(before.context, open_all(weights), match, running=decides)
    if table is not None and acceptance.check is not None and decides:
        from tflrepair.commands.fix.resolve_by_running import resolve_by_running

        plan_of = partial(plan_fix, before.context)
        table = resolve_by_running(before.model, table, plan_of, acceptance.check, progress)
    open_questions = table is not None and table.problems
    plan = None if open_questions else plan_fix(before.context, table)
    if output.map_out is not None and table is not None:
        text = json.dumps(table.to_map(), indent=2, sort_keys=True) + "\n"
        write(Path(output.map_out), text.encode(), output.force)
    if table is not None and not output.dry_run:
        table.require(advice(before.context, table))
    target = str(target_of(model, output))
    return FixResult(before, table, plan, target=target, check=acceptance.check)


def _written(
    planned: FixResult,
    passes: tuple[Pass, ...],
    acceptance: Acceptance,
    output: OutputOptions,
    progress: Progress,
) -> FixResult:
    target = planned.target
    with atomic(Path(target), output.force) as draft:
        rewritten = run_passes(passes, planned.before.context, draft, progress)
        if rewritten.context is None:
            return _left_alone(planned, progress)
        check_grafted(rewritten.context)
        found = scan(rewritten.context)
        progress("running the result", 0, 0)
        notes, table = list(rewritten.notes), planned.table
        if planned.check is not None:
            answered = expect(rewritten.context, planned.check)
            far = rounding(answered)
            # rounding to few bits may hide what running numbers got wrong
            table = table.proven() if table and not far else table
            notes += [*([far] if far else ()), *delegates(answered)]
        run = accept_result(rewritten.context, acceptance, found.findings)
        size = found.model.size
        # Windows renames no file that is open: a large one is looked at again under its name
        after = None if found.model.is_open else found
        del rewritten, found
    return replace(
        planned,
        table=table,
        out=target,
        size=size,
        after=_renamed(after, target) if after else scan(target),
        notes=tuple(notes),
        run=replace(run, model=target) if isinstance(run, VerifyReport) else None,
        not_run=run if isinstance(run, str) else "",
    )


def _renamed(result: ScanResult, path: str) -> ScanResult:
    return replace(result, context=result.context.renamed(path))


def _left_alone(planned: FixResult, progress: Progress) -> FixResult:
    """``planned`` where nothing is to be written: the model itself must pass the check, if any."""
    if planned.check is None:
        return planned
    progress("running the model", 0, 0)
    return replace(planned, run=expect(planned.before.context, planned.check))
