"""`--accept NAME`: a doubt that the user may set aside, and what is said of the result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from following import follows, say, told
from test_evidence import EVIDENCE, fixed, is_right, match, rates
from weights.starts.replay import advised, shell

import tflrepair
from tflrepair.errors import UserError
from tflrepair.weights.types.acceptable import ACCEPTABLE

ACTIVATION = EVIDENCE.parent / "activation"
ACCEPTING = [
    ("chain_made_backwards", "donor.weights.h5", "reordered-layers", 8),
    ("branches_concatenated", "donor.weights.h5", "reordered-layers", 6),
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
        ("towers_in_another_order", "donor.weights.h5"),  # listed in another order
        ("another_file_altogether", "donor.keras"),  # another architecture
        ("cell_named_simple_rnn_cell", "donor.weights.h5"),  # two readings of one layer
    ],
)
def test_evidence_against_a_match_cannot_be_accepted(case: str, file: str) -> None:
    table = match(case, EVIDENCE / case / file, accepted=tuple(ACCEPTABLE))
    assert table.problems
    assert not table.options


def test_an_end_that_the_model_does_not_have_is_a_doubt_of_its_own() -> None:
    """The file has one layer more before the end; what is left for the last one ends in a tanh."""
    case, file = "gated_residual_wider", "donor.keras"
    refused = match(case, EVIDENCE / case / file)
    assert refused.options == ("--accept unused-layer", "--accept added-activation")
    last = match(case, EVIDENCE / case / file, accepted=["unused-layer"]).problems
    assert [p.message.partition(": ")[2] for p in last] == [
        "the file's layer ends with a tanh, and the model has none there"
    ]
    table = match(case, EVIDENCE / case / file, accepted=["unused-layer", "added-activation"])
    assert len(table.unproven) == 8
    code, text = say(f"tflrepair fix {whole(case, file)} --dry-run")
    command = next(line for line in text.splitlines() if line.startswith("  tflrepair fix"))
    assert (code, command.split(" --accept ")[1:]) == (2, ["unused-layer", "added-activation"])
    assert say(f"{command.strip()} --dry-run")[0] == 1  # it could be written, but is not proven


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
@pytest.mark.parametrize(("case", "file", "name", "count"), ACCEPTING[3:])
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


def torn(folder: Path, gone: str, add: float) -> str:
    """The file of a backbone without one of its two layers, and other numbers in what is left."""
    case = EVIDENCE / "head_from_the_backbones_file"
    path = Path(shutil.copy(case / "donor.weights.h5", folder / "torn.weights.h5"))
    with h5py.File(path, "a") as file:
        del file["layers"][gone]
        for layer in file["layers"].values():
            for array in layer["vars"].values():
                array[...] = array[()] + add
    return f"{case / 'model.tflite'} -w {path}"


def whole(case: str, file: str) -> str:
    return f"{EVIDENCE / case / 'model.tflite'} -w {EVIDENCE / case / file}"


DOUBTED: dict[str, Callable[[Path], str]] = {
    "unused-layer": lambda _: whole("auxiliary_head", "donor.keras"),
    "by-number": lambda _: whole("branches_concatenated", "donor.npz"),
    "missing-layer": lambda folder: torn(folder, "dense", 1),
    "unknown-constant": lambda folder: torn(folder, "dense_1", 1),
    "frozen-layer": lambda folder: torn(folder, "dense_1", 0),
    "renamed-layer": lambda _: whole("renamed_by_hand", "donor.weights.h5"),
    "reordered-layers": lambda _: whole("chain_made_backwards", "donor.weights.h5"),
    "added-activation": lambda _: f"{ACTIVATION}/model.tflite -w {ACTIVATION}/donor.keras",
}


def test_each_doubt_has_a_case() -> None:
    assert DOUBTED.keys() == ACCEPTABLE.keys()


@follows("accept")
@pytest.mark.parametrize("name", DOUBTED)
def test_a_doubt_that_is_accepted(tmp_path: Path, name: str) -> None:
    """As the refusal says: the options in the sentence, and the same in the command to paste."""
    code, text = say(f"tflrepair fix {DOUBTED[name](tmp_path)} --dry-run")
    assert code == 2
    said = told(text, "accept")["options"].split("; or with ")[-1]
    assert f"--accept {name}, if {ACCEPTABLE[name]}" in said
    command = next(line for line in text.splitlines() if line.startswith("  tflrepair fix"))
    for part in said.split("; "):
        assert part.split(",")[0] in command
    code, text = say(f"{command.strip()} --dry-run")
    assert code == 1  # it could be written, but is not proven, as without --dry-run
    assert f"on --accept {name}" in text
    assert "Nothing wrong found" not in text
