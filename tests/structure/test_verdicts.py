"""Nothing that a runtime's loader refuses gets past us. `python -m fuzz.verdicts` runs more."""

from __future__ import annotations

import pytest
from fuzz import seeds
from fuzz.judges import Judge
from fuzz.verdicts import compare


@pytest.mark.runs
@pytest.mark.slow
def test_no_mutant_that_litert_refuses_is_accepted() -> None:
    judge = Judge("litert")
    tally = compare(seeds.models(), 1500, 7, [judge])
    judge.close()
    assert tally.mutants > 1200
    assert tally.theirs["litert"] > 600
    assert not tally.lenient, tally.lenient[0]
