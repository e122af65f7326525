"""From a scan and files of weights to a plan: which value goes to which variable."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tflrepair.analysis.variables import Variable
from tflrepair.commands.scan import ScanResult
from tflrepair.errors import RefusedError
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
    from tflrepair.weights import MatchTable, Row

Weights = Sequence[str | os.PathLike[str] | object]
_NOTHING = GraftPlan((), (), ())


@dataclass(frozen=True)
class MatchOptions:
    """What the caller wants beyond matching: see ``fix`` for each."""

    mapping: Mapping[str, str]
    sets: Mapping[str, str | float]
    replace: bool = False
    by_name: bool = False
    rounds: bool = False


def match_fix(before: ScanResult, weights: Weights, wishes: MatchOptions) -> MatchTable | None:
    """The table of matched values; None if no value is needed.

    Raises:
        RefusedError, UnsupportedError: see ``check_graftable``.
        UserError, BadFileError: options or files that do not fit.
    """
    analysis = before.analysis
    check_graftable(before.model, analysis)
    given = replaceable(analysis) if wishes.replace else ()
    variables = needing_values(analysis) + given
    if not variables:
        return None
    table = _match(before, variables, weights, wishes)
    return _without_kept(table, {v.name for v in given}) if given else table


def plan_fix(before: ScanResult, table: MatchTable | None) -> GraftPlan:
    """What to write for a table without problems.

    Raises:
        RefusedError, UnsupportedError: see ``checkpoint_renames``.
    """
    model, analysis = before.model, before.analysis
    plan = GraftPlan(
        entries=tuple(entry.subgraph for entry in analysis.entries),
        values=(),
        calls=missing_calls(analysis),
        renames=checkpoint_renames(model, analysis),
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
    before: ScanResult, variables: tuple[Variable, ...], paths: Weights, wishes: MatchOptions
) -> MatchTable:
    from tflrepair import weights

    names = [variable.name for variable in variables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedError(f"two containers hold a variable named {twice[0]!r}")
    sources = [weights.open_weights(path) for path in paths]
    targets = weights.targets_of(before.model, variables, before.analysis)
    targets = tuple(replace(target, rounds=wishes.rounds) for target in targets)
    proofs = (
        weights.proofs_of(before.model, variables, before.analysis)
        if weights.has_constants(sources)
        else {}
    )
    table = weights.match(
        targets,
        weights.offer(sources, targets, proofs) if proofs else sources,
        mapping=wishes.mapping,
        sets=wishes.sets,
        by_name=wishes.by_name,
        kernels=weights.kernels_of(before.model),
    )
    return weights.proven(table, proofs) if proofs else table


def _without_kept(table: MatchTable, given: set[str]) -> MatchTable:
    """Leave out optimizer state that the weights do not hold: it keeps the value it has.

    Everything else that is missing stays a problem; a model that is half old and half new would
    look right and be wrong.
    """
    from tflrepair.weights.optimizers import keras3 as optimizers
    from tflrepair.weights.types.match_table import INITIAL, OPEN

    starts = optimizers.starts([row.target for row in table.rows])
    kept = {
        row.target.shared_name
        for row in table.rows
        if row.target.shared_name in given
        and row.target.shared_name in starts
        and row.origin in (INITIAL, OPEN)
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
        read=partial(_little_endian, row),
    )


def _little_endian(row: Row) -> bytes:
    value = row.value()
    return value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
