"""Look at a model without running it: facts, variables, findings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.checks.base import Needs
from tflrepair.checks.registry import choose, run_checks
from tflrepair.containers.find import Found, find, find_in_file
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.findings import Finding
from tflrepair.graph.model import Model, Source, load
from tflrepair.notebook import Presentable
from tflrepair.structure.verify import Verdict
from tflrepair.wording import plural

# Rules about what the analysis follows: required fields, indices, operands, circles of calls.
_FOLLOWED = frozenset(("TFR109", "TFR110", "TFR119", "TFR120"))


@dataclass(frozen=True, repr=False)
class ScanResult(Presentable):
    """What a scan found. ``ok`` is false if any finding is an error."""

    context: AnalysisContext
    findings: tuple[Finding, ...]

    @property
    def model(self) -> Model:
        return self.context.model

    @property
    def analysis(self) -> Analysis:
        return self.context.analysis

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The resource variables, with where each gets its value."""
        return self.context.analysis.variables

    @property
    def ok(self) -> bool:
        return not any(finding.is_problem for finding in self.findings)

    def headline(self) -> str:
        errors = sum(finding.is_problem for finding in self.findings)
        return (
            f"{self.model.path or 'model'}: {plural(errors, 'error')}, "
            f"{plural(len(self.findings), 'finding')}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """A row for each finding."""
        return [
            {
                "severity": str(f.severity),
                "code": f.code,
                "message": f.message,
                "hint": f.hint,
                "location": str(f.location),
                "signature": f.location.signature,
                "variable": f.location.variable,
            }
            for f in self.findings
        ]


def scan(
    model: AnalysisContext | Source,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    values: bool = False,
) -> ScanResult:
    """Read every table of a model, follow its variables, and run the checks.

    Weights are read only if asked for; without them the cost depends on the graph alone,
    not on the size of the file.

    Args:
        model: a path (which may lead into an archive), the bytes of a .tflite file, or a Model.
        select: only checks whose code begins with one of these (``TFR001``, ``TFR1``).
        ignore: no check whose code begins with one of these.
        values: run the checks that read weights, too; ``select`` runs them without this.

    Raises:
        BadFileError: the file is truncated, corrupt or not a .tflite file.
        UnsupportedError: subgraph calls are nested deeper than runtimes could follow.
        UserError: no check has such a code.
    """
    checks = choose(select, ignore)
    if not values and not select:
        checks = tuple(check for check in checks if check.needs is not Needs.VALUES)
    context = context_of(model)
    _ = context.analysis
    try:
        return ScanResult(context, run_checks(context, checks))
    except TflRepairError as error:
        raise context.named(error) from None


def scan_all(
    path: str | os.PathLike[str],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    values: bool = False,
) -> Iterator[tuple[str, ScanResult | TflRepairError]]:
    """Every model in a folder, an archive or a bundle: its path, and its scan or why there is none.

    Raises:
        UserError: there is no such file or folder, or no such check.
    """
    yield from _scan_each(find(path), select, ignore, values)


def scan_file(
    file: Path, *, select: Sequence[str] = (), ignore: Sequence[str] = (), values: bool = False
) -> Iterator[tuple[str, ScanResult | TflRepairError]]:
    """As ``scan_all``, of one file of a folder, which may hold no model at all."""
    yield from _scan_each(find_in_file(file), select, ignore, values)


def _scan_each(
    models: Iterator[Found], select: Sequence[str], ignore: Sequence[str], values: bool
) -> Iterator[tuple[str, ScanResult | TflRepairError]]:
    for found in models:
        if found.model is None:
            yield found.path, found.error or BadFileError("cannot be read", where=found.path)
            continue
        try:
            yield found.path, scan(found.model, select=select, ignore=ignore, values=values)
        except TflRepairError as error:
            yield found.path, error


def scan_what_is_left(path: str | os.PathLike[str], verdict: Verdict) -> ScanResult | None:
    """The scan of a model that contradicts itself, as far as that does not matter to a scan.

    None if its tables, indices or calls are wrong, so that there is nothing to follow.
    """
    if not verdict.readable or not _FOLLOWED.isdisjoint(row.code for row in verdict.faults):
        return None
    try:
        return scan(replace(load(path), salvaged=True))
    except TflRepairError:
        return None
