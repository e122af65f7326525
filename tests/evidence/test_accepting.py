"""`--accept NAME`: a doubt that the user may set aside, and what is said of the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_evidence import EVIDENCE, fixed, is_right, match, rates
from weights.starts.replay import advised, shell

import tflrepair
from tflrepair.errors import UserError
from tflrepair.weights.types.acceptable import ACCEPTABLE

ACCEPTING = [
    ("auxiliary_head", "donor.keras", "unused-layer", 2),
    ("auxiliary_head", "donor.weights.h5", "unused-layer", 2),
    ("renamed_by_hand", "donor.weights.h5", "renamed-layer", 6),
]


@pytest.mark.parametrize(("case", "file", "name", "count"), ACCEPTING)
def test_the_refusal_names_it_and_accepting_it_is_right(
    case: str, file: str, name: str, count: int
) -> None:
    refused = match(case, EVIDENCE / case / file)
    assert refused.options == (f"--accept {name}",)
    assert all(f"--accept {name}, if" in p.hint for p in refused.problems)
    table = match(case, EVIDENCE / case / file, accepted=[name])
    assert not table.problems
    assert is_right(case, table)
    assert {key: len(rows) for key, rows in table.accepted.items()} == {name: count}
    assert len(table.unproven) == count


@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("branches_concatenated", "donor.weights.h5"),  # listed in another order
        ("chain_made_backwards", "donor.weights.h5"),
        ("another_file_altogether", "donor.keras"),  # another architecture
        ("cell_named_simple_rnn_cell", "donor.weights.h5"),  # two readings of one layer
    ],
)
def test_evidence_against_a_match_cannot_be_accepted(case: str, file: str) -> None:
    table = match(case, EVIDENCE / case / file, accepted=tuple(ACCEPTABLE))
    assert table.problems
    assert not table.options


def test_another_doubt_is_not_accepted_with_it() -> None:
    case, file = "branches_concatenated", "donor.npz"
    assert match(case, EVIDENCE / case / file, accepted=["unused-layer"]).problems
    table = match(case, EVIDENCE / case / file, accepted=["by-number"])
    assert len(table.accepted["by-number"]) == len(table.unproven) == 4


def test_what_needs_no_accepting_is_as_it_was() -> None:
    case, file = "branches_concatenated", "donor.keras"
    table = match(case, EVIDENCE / case / file, accepted=tuple(ACCEPTABLE))
    assert not table.accepted
    assert not table.unproven


def test_a_name_that_there_is_not(broken: Path) -> None:
    with pytest.raises(UserError, match="there is no such doubt") as error:
        tflrepair.fix(broken, accept=["everything"])
    assert all(name in str(error.value.hint) for name in ACCEPTABLE)


@pytest.mark.runs
@pytest.mark.parametrize(("case", "file", "name", "count"), ACCEPTING[1:])
def test_the_command_of_the_refusal_works_and_the_result_is_not_called_proven(
    case: str, file: str, name: str, count: int, tmp_path: Path
) -> None:
    out = ["-o", str(tmp_path / "out.tflite"), "--set", "*learning_rate=1e-3"]
    out = out if rates(case) else out[:2]
    refused = fixed(case, file, *out)
    assert refused.returncode == 2
    command = advised(refused.stderr)
    assert command.endswith(f"--accept {name}")
    done = shell(command)
    assert done.returncode == 1
    assert f"{count} accepted" in done.stdout
    assert f"rest on --accept {name}" in done.stdout
    assert "Nothing wrong found" not in done.stdout
    (told,) = json.loads(shell(f"{command} --format json").stdout)["results"]
    assert len(told["accepted"][name]) == len(told["unproven"]) == count
    assert told["sure"]["accepted"] == count
