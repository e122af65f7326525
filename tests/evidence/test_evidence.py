"""Real files of programs that changed, or that are not the model's: right, or refused.

Made by benchmarks/evidence/evidence_make.py; which value each variable must get is known by value.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import warm
from following import say, told
from networks import one_try
from weights.cases import DATA

import tflrepair
from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.errors import RefusedError
from tflrepair.graph.model import load
from tflrepair.passes.graft.plan import needing_values
from tflrepair.weights import MatchTable

EVIDENCE = DATA / "evidence"
RIGHT = {
    # the program makes its layers in another order
    ("branches_of_other_activations", "donor.keras"),
    ("branches_of_other_activations", "donor.h5"),
    ("branches_concatenated", "donor.keras"),
    ("branches_concatenated", "donor.h5"),
    ("chain_made_backwards", "donor.keras"),
    # the exported function takes a table of the file's program as a kernel, too
    ("tied_embedding", "donor.keras"),
    ("tied_embedding", "donor.weights.h5"),
    # the file tells the class of the cells inside an RNN; what its layers do
    ("recurrent_and_pointwise_reordered", "donor.keras"),
    ("told_by_activation_layers_swapped", "donor.keras"),
    ("told_by_directions_swapped", "donor.keras"),
    ("told_by_directions_swapped", "donor.h5"),
    ("gated_residual_same", "donor.keras"),
    ("gated_residual_swapped", "donor.keras"),
    ("towers_in_another_order", "donor.keras"),
    ("one_given_number", "donor.keras"),
    # a class that makes in its own order what the Functional of the file lists
    ("across_subtracted_otherwise", "donor.keras"),
    # layers of somebody's own, with Keras's names
    ("named_layer_normalization", "donor.keras"),
    ("named_layer_normalization", "donor.weights.h5"),
    # the same program on both sides
    ("branches_of_the_same_program", "donor.keras"),
    ("branches_of_the_same_program", "donor.weights.h5"),
    ("attributes_of_the_same_program", "donor.weights.h5"),
    ("names_that_differ_by_case", "donor.weights.h5"),
    ("gated_residual_same", "donor.weights.h5"),
}
# The file is that of ``gated_residual_same`` but for its numbers, and needs the opposite match
UNPROVEN = {("gated_residual_swapped", "donor.weights.h5")}
FILES = sorted((f.parent.name, f.name) for f in EVIDENCE.glob("*/donor.*"))


def truth(case: str) -> dict[str, Any]:
    return {k.replace("|", "/"): v for k, v in np.load(EVIDENCE / case / "truth.npz").items()}


def rates(case: str) -> dict[str, float]:
    model = load(EVIDENCE / case / "model.tflite")
    names = [v.name for v in needing_values(analyse(model))]
    return {name: 1e-3 for name in names if name.endswith("learning_rate")}


def match(case: str, source: Any, **options: Any) -> MatchTable:
    model = load(EVIDENCE / case / "model.tflite")
    needy = needing_values(analyse(model))
    return weights.match(
        weights.targets_of(model, needy),
        [weights.open_weights(source)],
        sets=rates(case),
        kernels=weights.kernels_of(model),
        **options,
    )


def is_right(case: str, table: MatchTable) -> bool:
    wanted = truth(case)
    rows = [row for row in table.rows if row.origin == "weight"]
    return all(np.array_equal(r.value(), wanted.get(r.target.shared_name, ())) for r in rows)


@pytest.mark.parametrize(("case", "file"), FILES)
def test_right_or_refused(case: str, file: str) -> None:
    table = match(case, EVIDENCE / case / file)
    assert bool(table.problems) != ((case, file) in RIGHT | UNPROVEN)
    assert table.problems or is_right(case, table) != ((case, file) in UNPROVEN)
    assert table.unproven or (case, file) not in UNPROVEN


@pytest.mark.parametrize(
    ("case", "file", "said"),
    [
        ("towers_in_another_order", "donor.weights.h5", "another order than the model"),
        ("branches_concatenated", "donor.npz", "only its automatic number"),
        ("cell_named_simple_rnn_cell", "donor.weights.h5", "could be 2 things"),
        ("head_from_the_backbones_file", "donor.weights.h5", "stands in the model as a constant"),
        ("auxiliary_head", "donor.keras", "fits as well, and no other layer of the model uses it"),
        ("another_file_altogether", "donor.keras", "architecture is not the model's"),
        ("another_file_altogether", "donor.weights.h5", "joins layers differently"),
        ("renamed_by_hand", "donor.weights.h5", "the file calls the layer"),
        ("across_subtracted_otherwise", "donor.weights.h5", "another order than the model joins"),
        ("across_multiplied_otherwise", "donor.weights.h5", "only its automatic number"),
    ],
)
def test_a_refusal_says_why(case: str, file: str, said: str) -> None:
    assert said in " ".join(p.message for p in match(case, EVIDENCE / case / file).problems)


@pytest.mark.parametrize(
    ("case", "file", "sure"),
    [
        ("branches_concatenated", "donor.keras", {"closed", "exact"}),
        ("names_that_differ_by_case", "donor.weights.h5", {"named"}),
        ("attributes_of_the_same_program", "donor.weights.h5", {"by number only"}),
    ],
)
def test_how_sure(case: str, file: str, sure: set[str]) -> None:
    rows = match(case, EVIDENCE / case / file).rows
    assert {row.confidence for row in rows if row.origin == "weight"} == sure


def fixed(case: str, file: str, *options: str) -> subprocess.CompletedProcess[str]:
    model = EVIDENCE / case / "model.tflite"
    given = ["--weights", str(EVIDENCE / case / file), *options]
    return warm.command_line("fix", str(model), "--force", *given)


@pytest.mark.runs
def test_what_is_not_proven_is_said_and_never_passes_as_sound(tmp_path: Path) -> None:
    case, file = "attributes_of_the_same_program", "donor.weights.h5"
    out = ["-o", str(tmp_path / "out.tflite")]
    plain = fixed(case, file, *out)
    assert plain.returncode == 1
    assert "6 by number only" in plain.stdout
    assert "not proven" in plain.stdout
    assert "Nothing wrong found" not in plain.stdout
    (result,) = json.loads(fixed(case, file, *out, "--format", "json").stdout)["results"]
    assert result["sure"] == {"by number only": 6}
    assert len(result["unproven"]) == 6
    both = np.load(EVIDENCE / case / "io.npz")
    np.savez(tmp_path / "in.npz", x=both["x"])
    np.savez(tmp_path / "out.npz", y=both["y"])
    proven = fixed(case, file, *out, "--check", str(tmp_path / "in.npz"), str(tmp_path / "out.npz"))
    assert proven.returncode == 0
    assert "not proven" not in proven.stdout


@pytest.mark.runs
@pytest.mark.parametrize("case", ["gated_residual_same", "gated_residual_swapped"])
def test_what_another_program_leaves_alike_is_not_proven_until_it_runs(
    case: str, tmp_path: Path
) -> None:
    """Two files that differ in numbers only, of which one needs the opposite match."""
    out = ["-o", str(tmp_path / "out.tflite"), "--learning-rate", "1e-3"]
    plain = fixed(case, "donor.weights.h5", *out)
    assert plain.returncode == 1
    assert "4 by order only, 4 closed" in plain.stdout
    assert "not proven  4 variables rest on the order in the file alone" in plain.stdout
    assert "Nothing wrong found" not in plain.stdout
    assert told(plain.stdout, "prove") == told(plain.stdout, "keras-file") == {}
    both = np.load(EVIDENCE / case / "io.npz")
    np.savez(tmp_path / "in.npz", **{"infer/x": both["x"]})
    np.savez(tmp_path / "out.npz", **{"infer/y": both["y"]})
    check = ["--check", str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    proven = fixed(case, "donor.weights.h5", *out, *check, "--format", "json")
    assert proven.returncode == 0
    (result,) = json.loads(proven.stdout)["results"]
    assert result["sure"] == {"checked": 4, "closed": 4}
    wanted = truth(case)
    arrays = {w.path: w.read() for w in weights.open_weights(tmp_path / "out.tflite").weights}
    assert all(np.array_equal(arrays[name], array) for name, array in wanted.items())
    tells = fixed(case, "donor.keras", *out)  # the other advice
    assert (tells.returncode, "Nothing wrong found" in tells.stdout) == (0, True)


class Answering:
    """Stands for the Python module: it answers as it did when the files were made."""

    def __init__(self, case: str, out: Path) -> None:
        known = {name: array for name, array in truth(case).items() if "/" in name}
        model = EVIDENCE / case / "model.tflite"
        self.path = tflrepair.fix(model, [known], sets=rates(case), out=out, by_name=True).out

    def infer(self, **given: Any) -> Any:
        from running import Session

        return Session(Path(str(self.path))).run("infer", **given)


@pytest.mark.runs
@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("attributes_in_another_order", "donor.keras"),
        ("renamed_by_hand", "donor.weights.h5"),
        ("cell_named_simple_rnn_cell", "donor.weights.h5"),
        ("unnamed_not_trainable_first", "donor.weights.h5"),
    ],
)
def test_the_advice_works(
    case: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of Python that a refusal prints are run, and --check takes what they wrote."""
    model, out = EVIDENCE / case / "model.tflite", tmp_path / "out.tflite"
    with pytest.raises(RefusedError) as refusal:
        tflrepair.fix(model, [EVIDENCE / case / file], sets=rates(case), out=out)
    lines = str(refusal.value).split("\n")
    start = next(n for n, line in enumerate(lines) if "import numpy" in line)
    end = next(n for n, line in enumerate(lines) if "then add: --check in.npz out.npz" in line)
    code = "\n".join(line.strip() for line in lines[start:end])
    monkeypatch.chdir(tmp_path)
    exec(code, {"model": Answering(case, tmp_path / "known.tflite")})
    result = tflrepair.fix(
        model, [EVIDENCE / case / file], sets=rates(case), out=out, check=("in.npz", "out.npz")
    )
    assert result.table is not None
    assert is_right(case, result.table)
    assert not result.unproven


@pytest.mark.parametrize("seed", range(4))
def test_random_networks_of_look_alike_layers(seed: int) -> None:
    """Another order, another network, three kinds of files: never wrong."""
    results = Counter(one_try(500 * seed + n)[1] for n in range(500))
    assert set(results) == {"right", "refused"}
    assert results["right"] > 100


def test_random_networks_whose_order_is_accepted() -> None:
    """What `--accept reordered-layers` takes from whole files of weights is right, too."""
    results = Counter(one_try(seed, ("reordered-layers",)) for seed in range(400))
    assert {result for _, result in results} == {"right", "refused"}
    assert results["weights, changed", "right"] > 30


@pytest.mark.runs
def test_the_map_of_a_refusal_lists_what_each_variable_can_be(tmp_path: Path) -> None:
    case, file = "parallel_attributes", "donor.keras"
    path = tmp_path / "map.json"
    assert fixed(case, file, "--set", "*learning_rate=1e-3", "--map-out", str(path)).returncode == 2
    written = json.loads(path.read_text())
    assert all(text.startswith("? ") and len(text.split()) == 3 for text in written.values())
    source = weights.open_weights(EVIDENCE / case / file)
    arrays = {weight.path: weight.read() for weight in source.weights}
    wanted = truth(case)
    chosen = {
        name: next(p for p in text.split()[1:] if np.array_equal(arrays[p], wanted[name]))
        for name, text in written.items()
    }
    assert match(case, EVIDENCE / case / file, mapping=written).problems  # nothing is chosen yet
    table = match(case, EVIDENCE / case / file, mapping=chosen)
    assert not table.problems
    assert is_right(case, table)


def test_full_names_are_said_to_be_all_that_decided() -> None:
    row = DATA / "row"
    code, text = say(f"tflrepair fix {row / 'model.tflite'} -w {row / 'by_path.npz'} --dry-run")
    assert code == 0
    assert "24 of them by full names, which are all that such a file tells" in text
    code, text = say(f"tflrepair fix {row / 'model.tflite'} -w {row / 'donor.keras'} --dry-run")
    assert code == 0
    assert "by full names" not in text
