"""From a scan and files of weights to a plan: which value goes to which variable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import Variable
from tflrepair.commands.fix.options import MatchOptions, Weights, listed
from tflrepair.errors import RefusedError, UserError
from tflrepair.passes.graft.plan import (
    GraftPlan,
    NewValue,
    Replacement,
    check_graftable,
    checkpoint_renames,
    initializing_sites,
    missing_calls,
    needing_values,
    replaceable,
)

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable, Row, Source
from tflrepair.weights.types.remedies import remedy

_NOTHING = GraftPlan((), (), ())


def open_all(weights: Weights) -> list[Source]:
    """The sources of weights, opened: also where no value is needed, a wrong one is an error.

    Raises:
        BadFileError, UnsupportedError, UserError: see ``weights.open_weights``.
    """
    sources = listed(weights)
    if not sources:
        return []
    from tflrepair.weights import open_weights

    return [open_weights(source) for source in sources]


def check_options(before: AnalysisContext, options: MatchOptions) -> None:
    """Refuse names that no variable has, also where nothing needs a value.

    A model that has all its values may be given them once more: that changes nothing.

    Raises:
        UserError: ``mapping`` or ``sets`` names no variable, or, where others need a value, one
            that has its own; ``accept`` names no doubt.
    """
    if options.accept:
        from tflrepair.weights.types.acceptable import check_accepted

        check_accepted(options.accept)
    analysis = before.analysis
    missing = {v.name for v in needing_values(analysis)}
    given = {v.name for v in replaceable(analysis)}
    for option, names in (("--set", options.sets), ("the map", options.mapping)):
        for name in names:
            if _any_fits(name, missing):
                continue
            if not _any_fits(name, given):
                raise _unknown(option, name, missing | given)
            if missing and not options.replace:
                raise UserError(
                    f"{option} names {name!r}, which has an initial value already",
                    hint=remedy("replace"),
                )


def _unknown(option: str, name: str, known: set[str]) -> UserError:
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    hint = remedy("near", names=", ".join(near)) if near else remedy("names-of-a-scan")
    message = f"{option} names {name!r}, which is not a variable that takes a value"
    return UserError(message, hint=hint)


def _any_fits(pattern: str, names: set[str]) -> bool:
    return pattern in names or any(fnmatchcase(name, pattern) for name in names)


def match_fix(
    before: AnalysisContext,
    sources: Sequence[Source],
    options: MatchOptions,
    running: bool = False,
) -> MatchTable | None:
    """The table of matched values; None if no value is needed.

    Args:
        running: whether running will decide what the order in the file alone decides.

    Raises:
        RefusedError, UnsupportedError: see ``check_graftable``.
        UserError, BadFileError: options or files that do not fit.
    """
    analysis = before.analysis
    check_graftable(before.model, analysis)
    given = replaceable(analysis) if options.replace else ()
    variables = needing_values(analysis) + given
    if not variables:
        return None
    table = _match(before, variables, sources, options, running)
    return _without_kept(table, {v.name for v in given}) if given else table


def plan_fix(before: AnalysisContext, table: MatchTable | None) -> GraftPlan:
    """What to write for a table without problems.

    Raises:
        RefusedError, UnsupportedError: see ``checkpoint_renames``.
    """
    analysis = before.analysis
    plan = GraftPlan(
        entries=tuple(entry.subgraph for entry in analysis.entries),
        values=(),
        calls=missing_calls(analysis),
        renames=checkpoint_renames(before),
    )
    if table is None:
        return plan if plan.changes else _NOTHING
    rows = {row.target.shared_name: row for row in table.rows}
    return replace(
        plan,
        values=tuple(_new_value(v, rows[v.name]) for v in needing_values(analysis)),
        replacements=tuple(
            Replacement(initializing_sites(analysis, v), _new_value(v, rows[v.name]))
            for v in replaceable(analysis)
            if v.name in rows
        ),
    )


def _match(
    before: AnalysisContext,
    variables: tuple[Variable, ...],
    sources: Sequence[Source],
    options: MatchOptions,
    running: bool,
) -> MatchTable:
    from tflrepair import weights

    names = [variable.name for variable in variables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedError(f"two containers hold a variable named {twice[0]!r}")
    targets = weights.targets_of(before, variables)
    targets = tuple(replace(target, rounds=options.rounds) for target in targets)
    proofs = (
        weights.proofs_of(before.model, variables, before.analysis)
        if weights.has_constants(sources)
        else {}
    )
    table = weights.match(
        targets,
        weights.offer(sources, targets, proofs) if proofs else sources,
        mapping=options.mapping,
        sets=options.sets,
        by_name=options.by_name,
        kernels=weights.kernels_of(before.model),
        rate=options.rate,
        accepted=options.accept,
        running=running,
    )
    return weights.proven(table, proofs) if proofs else table


def _without_kept(table: MatchTable, given: set[str]) -> MatchTable:
    """Leave out state that the weights do not hold: it keeps the value it has.

    Everything else that is missing stays a problem; a model that is half old and half new would
    look right and be wrong.
    """
    from tflrepair.weights.starts import optimizer_state
    from tflrepair.weights.types.match_table import INITIAL, OPEN

    starts = optimizer_state.starts([row.target for row in table.rows])
    kept = {
        row.target.shared_name
        for row in table.rows
        if row.target.shared_name in given
        and (row.origin == INITIAL or (row.origin == OPEN and row.target.shared_name in starts))
    }
    return replace(
        table,
        rows=tuple(row for row in table.rows if row.target.shared_name not in kept),
        problems=tuple(p for p in table.problems if not kept.issuperset(p.variables)),
    )


def _new_value(variable: Variable, row: Row) -> NewValue:
    return NewValue(
        key=variable.key,
        dtype=variable.dtype or "",
        shape=row.shape,
        nbytes=row.nbytes,
        origin=row.weight.path if row.weight else row.reason,
        pieces=partial(_little_endian, row),
        zero=row.is_zero,
        handle=variable.created_by[0] if variable.key.kind == "flex" else None,
    )


def _little_endian(row: Row) -> Iterator[memoryview]:
    from tflrepair.weights.types.dtypes import little_endian

    return map(little_endian, row.pieces())
