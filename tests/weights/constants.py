"""Matching with the constants of another .tflite, as a plan for a fix does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.passes.graft.plan import needing_values
from tflrepair.weights import MatchTable, Source
from tflrepair.weights.constants.offered import offer, proven
from tflrepair.weights.constants.proof import Proof, proofs_of


def proofs(model: Path) -> Mapping[str, Proof]:
    analysis = analyse(load(model))
    return proofs_of(load(model), needing_values(analysis), analysis)


def matched(model: Path, *sources: Any, trusting: bool = False, **options: Any) -> MatchTable:
    """The table; with ``trusting``, before what may be folded is taken out."""
    opened = [s if isinstance(s, Source) else weights.open_weights(s) for s in sources]
    whole = load(model)
    analysis = analyse(whole)
    targets = weights.targets_of(whole, needing_values(analysis))
    known = proofs(model)
    table = weights.match(targets, offer(opened, targets, known), **options)
    return table if trusting else proven(table, known)


def taken(table: MatchTable) -> dict[str, Any]:
    """The values of the variables that were matched."""
    return {r.target.shared_name: r.value() for r in table.rows if r.weight is not None}


def said(table: MatchTable, name: str) -> str:
    """The problems that name a variable."""
    return "\n".join(p.message for p in table.problems if name in p.variables)
