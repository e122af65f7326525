"""All checks, in the order of their codes. A code is never used again for something else."""

from __future__ import annotations

import inspect
from types import ModuleType

from tflrepair.checks.base import Finding, Subject
from tflrepair.checks.checkpoints import tfr012_checkpoint_names
from tflrepair.checks.tables import tfr009_empty_table
from tflrepair.checks.variables import (
    tfr001_no_initial_value,
    tfr002_reads_unset,
    tfr003_runtimes,
    tfr004_bytes,
    tfr005_order_dependent,
    tfr006_partial_call_once,
    tfr007_shared_name,
    tfr008_two_initializers,
    tfr010_unknown_handle,
    tfr011_initial_value_size,
)
from tflrepair.errors import UserError

CHECKS: tuple[ModuleType, ...] = (
    tfr001_no_initial_value,
    tfr002_reads_unset,
    tfr003_runtimes,
    tfr004_bytes,
    tfr005_order_dependent,
    tfr006_partial_call_once,
    tfr007_shared_name,
    tfr008_two_initializers,
    tfr009_empty_table,
    tfr010_unknown_handle,
    tfr011_initial_value_size,
    tfr012_checkpoint_names,
)


def run_checks(subject: Subject) -> tuple[Finding, ...]:
    """What every check finds, in the order of the codes."""
    return tuple(finding for check in CHECKS for finding in check.check(subject))


def explain(code: str) -> str:
    """The documentation of the check ``code`` (``TFR001``; case does not matter).

    Raises:
        UserError: no check has this code.
    """
    for check in CHECKS:
        if code.upper() == check.CODE:
            return f"{check.CODE}: {inspect.getdoc(check)}"
    known = ", ".join(check.CODE for check in CHECKS)
    raise UserError(f"there is no check {code!r}", hint=f"the codes are {known}")
