"""Finding, choosing and running the checks, those of other packages included.

A package adds checks by an entry point of the group ``tflrepair.checks`` that names a module; when
it is loaded, its decorated functions register. What crashes there is a finding, not our crash.
"""

from __future__ import annotations

import contextlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tflrepair import checks as package
from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import CHECKS, Check
from tflrepair.errors import TflRepairError, UserError
from tflrepair.findings import Finding, Severity
from tflrepair.structure.rules.registry import RULES

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "tflrepair.checks"
CRASHED = "TFR900"


@cache
def _load() -> tuple[Finding, ...]:
    """Import every check once; what third-party packages do wrong while they are imported."""
    for room in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if room.ispkg:
            home = import_module(room.name)
            for module in pkgutil.iter_modules(home.__path__, f"{room.name}."):
                import_module(module.name)
    broken = []
    for point in _entry_points():
        known = set(CHECKS)
        try:
            point.load()
        except Exception as error:
            for code in CHECKS.keys() - known:  # of a module that is only half there
                del CHECKS[code]
            broken.append(_crashed(f"the checks of {point.value!r} cannot be loaded", error))
    return tuple(broken)


def _entry_points() -> Iterable[EntryPoint]:
    """What installed packages declare for the group.

    `importlib.metadata` takes a tenth of the time of a scan to import, so it is asked only if some
    package's entry_points.txt (entry points specification of PyPA) names the group.
    """
    for folder in sys.path:
        for path in Path(folder or ".").glob("*.*-info/entry_points.txt"):
            with contextlib.suppress(OSError):
                if f"[{ENTRY_POINTS}]".encode() in path.read_bytes():
                    from importlib.metadata import entry_points

                    return entry_points(group=ENTRY_POINTS)
    return ()


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the codes."""
    _load()
    return tuple(CHECKS[code] for code in sorted(CHECKS))


def choose(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks whose code begins with one of ``select`` (default: all) and none of ``ignore``.

    Raises:
        UserError: one of them is the beginning of no code.
    """
    found = all_checks()
    for prefix in (*select, *ignore):
        if not any(_begins(check, prefix) for check in found):
            raise _unknown(prefix, found)
    return tuple(
        check
        for check in found
        if (not select or any(_begins(check, p) for p in select))
        and not any(_begins(check, p) for p in ignore)
    )


def run_checks(context: AnalysisContext, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """What each of ``checks`` finds, in their order.

    Raises:
        BadFileError: a check of ours comes upon damage.
    """
    chosen = tuple(checks)
    found = [row for check in chosen for row in _run(check, context)]
    if any(check.code == CRASHED for check in chosen):
        found += _load()
    return tuple(found)


def explain(code: str) -> str:
    """The documentation of the check or rule ``code`` (``TFR001``; case does not matter).

    Raises:
        UserError: no check has this code.
    """
    for check in all_checks():
        if code.upper() == check.code:
            return f"{check.code}: {check.doc}"
    for rule in RULES:
        if code.upper() == rule.CODE:
            return f"{rule.CODE}: {inspect.getdoc(rule)}"
    raise _unknown(code, all_checks())


def how_fixed(code: str) -> str:
    """What the documentation of ``code`` says on the repair; empty if there is none."""
    found = [check.doc for check in all_checks() if check.code == code]
    _, mark, rest = (found[0] if found else "").partition("How it is fixed:")
    return " ".join(rest.split()) if mark else ""


def _begins(check: Check, prefix: str) -> bool:
    return bool(prefix) and check.code.startswith(prefix.upper())


def _run(check: Check, context: AnalysisContext) -> Iterator[Finding]:
    try:
        yield from check.findings(context)
    except TflRepairError:
        raise
    except Exception as error:
        if check.home.startswith(f"{package.__name__}."):
            raise
        yield _crashed(f"the check {check.code} of {check.home} crashed", error)


def _crashed(what: str, error: Exception) -> Finding:
    return Finding(
        CRASHED,
        Severity.WARNING,
        f"{what}: {type(error).__name__}: {error}",
        f"report it to its authors, or leave it out with --ignore {CRASHED}",
    )


def _unknown(code: str, known: Iterable[Check]) -> UserError:
    ours = [check.code for check in known if check.code.startswith("TFR0")]
    hint = (
        f"the codes are {ours[0]} to {ours[-1]}, and {RULES[0].CODE} to {RULES[-1].CODE} of "
        "damaged files; `tflrepair explain` lists them"
    )
    return UserError(f"there is no check {code!r}", hint=hint)
