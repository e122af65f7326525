"""What starts as a constructor says is stated and decided by files and options; copies are copies.

The truth is eager TensorFlow: five steps of training and the answer after them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tflrepair
from tflrepair.errors import UndecidedError, UserError
from weights.starts.replay import advised, furthest, repaired, shell

pytestmark = [pytest.mark.tf, pytest.mark.runs, pytest.mark.slow]
RATE = {"learning_rate": 0.05}
CLOSE = 2e-6

# what an option decides, and what is assumed without it
DECIDED: dict[str, tuple[dict[str, str], set[str]]] = {
    "adagrad": ({"adagrad/*_accumulator": "1"}, {"initial_accumulator_value=0.1"}),
    "ftrl": ({"ftrl/*_accumulator": "0.5"}, {"initial_accumulator_value=0.1"}),
    "scaled": ({"loss_scale_optimizer/dynamic_scale": "1024"}, {"initial_scale=32768"}),
    "scaled_late": (
        {
            "loss_scale_optimizer/adagrad*/*_accumulator": "0.3",
            "loss_scale_optimizer/dynamic_scale": "64",
        },
        {"initial_accumulator_value=0.1", "initial_scale=32768"},
    ),
    "multi": ({"adagrad/*_accumulator": "0.3"}, {"initial_accumulator_value=0.1"}),
    "multi_late": ({"adagrad*/*_accumulator": "0.3"}, {"initial_accumulator_value=0.1"}),
    "nadam_late": ({}, set()),
    "keras_average": ({}, set()),
    "lookahead": ({}, {"'slow' of 'lookahead'"}),
    "lookahead_branch": ({}, {"'slow' of 'outer'"}),
    "averaged": ({}, {"'ema' of 'adam'"}),
    "taught": ({}, {"'teacher/*'"}),
}


def assumed(result: tflrepair.FixResult) -> list[str]:
    assert result.table is not None
    return [assumption.text for assumption in result.table.assumptions]


@pytest.mark.parametrize("name", DECIDED)
def test_with_weights_and_options_it_trains_as_eager_tensorflow(
    starts: Path, tmp_path: Path, name: str
) -> None:
    sets, _ = DECIDED[name]
    out = tmp_path / "fixed.tflite"
    repaired(starts / name, "w.weights.h5", out, sets=sets, **RATE)
    assert furthest(starts / name, out) < CLOSE


@pytest.mark.parametrize("name", DECIDED)
def test_what_no_file_says_is_stated(starts: Path, tmp_path: Path, name: str) -> None:
    _, words = DECIDED[name]
    out = tmp_path / "fixed.tflite"
    texts = assumed(repaired(starts / name, "w.weights.h5", out, dry_run=True, **RATE))
    assert len(texts) == len(words)
    for word in words:
        assert sum(word in text for text in texts) == 1


@pytest.mark.parametrize("name", [*DECIDED, "named"])
def test_a_saved_model_knows_every_start(starts: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "fixed.tflite"
    assert not assumed(repaired(starts / name, "saved_model", out))
    assert furthest(starts / name, out) < CLOSE


@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
@pytest.mark.parametrize("name", ["adagrad", "ftrl", "named", "scaled", "scaled_late"])
def test_a_config_knows_what_the_constructor_was_given(
    starts: Path, tmp_path: Path, name: str, file: str
) -> None:
    out = tmp_path / "fixed.tflite"
    result = repaired(starts / name, file, out)
    assert not assumed(result)
    assert furthest(starts / name, out) < CLOSE
    assert result.table is not None
    assert any(row.confidence == "config" for row in result.table.rows)


def test_two_configs_that_differ_decide_nothing(starts: Path, tmp_path: Path) -> None:
    out = tmp_path / "fixed.tflite"
    model, files = starts / "adagrad" / "model.tflite", ("adagrad", "named")
    weights = [starts / name / "model.keras" for name in files]
    result = tflrepair.fix(model, weights, out=out, dry_run=True, learning_rate=0.05)
    assert "initial_accumulator_value=0.1" in str(assumed(result))


@pytest.mark.parametrize("name", ["adagrad", "lookahead", "scaled_late"])
def test_the_option_that_is_named_decides(starts: Path, tmp_path: Path, name: str) -> None:
    """Each line "if that is not so" of the text, with 7 for VALUE."""
    model, weights = starts / name / "model.tflite", starts / name / "w.weights.h5"
    command = f"tflrepair fix {model} --weights {weights} --learning-rate 0.05"
    done = shell(f"{command} -o {tmp_path / 'first.tflite'}")
    assert done.returncode == 0, done.stderr
    asked = [line for line in done.stdout.splitlines() if "if that is not so: " in line]
    assert asked
    options = " ".join(line.partition("not so: ")[2].replace("VALUE", "7") for line in asked)
    done = shell(f"{command} {options} --format json -o {tmp_path / 'second.tflite'}")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)["results"]
    assert answer["assumptions"] == []
    out = tmp_path / "third.tflite"
    first = repaired(starts / name, "w.weights.h5", out, dry_run=True, **RATE)
    assert first.table is not None
    names = {n for found in first.table.assumptions.values() for n in found}
    sevens = {v["shared_name"] for v in answer["variables"] if v["fill"] == 7}
    assert names <= sevens


def test_json_states_assumptions(starts: Path, tmp_path: Path) -> None:
    model, weights = starts / "adagrad" / "model.tflite", starts / "adagrad" / "w.weights.h5"
    out = tmp_path / "out.tflite"
    done = shell(
        f"tflrepair fix {model} -w {weights} --learning-rate 1 --format json --output {out}"
    )
    (answer,) = json.loads(done.stdout)["results"]
    (assumption,) = answer["assumptions"]
    assert assumption["option"] == "--set 'adagrad/*_accumulator=VALUE'"
    assert len(assumption["variables"]) == 4
    rows = {v["shared_name"]: v for v in answer["variables"]}
    assert all(rows[n]["assumption"] == assumption["text"] for n in assumption["variables"])
    assert all(rows[n]["confidence"] == "assumed" for n in assumption["variables"])


def test_a_copy_that_a_file_holds_is_taken_from_it(starts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    result = repaired(starts / "taught", "both.npz", out, **RATE)
    assert not assumed(result)
    assert furthest(starts / "taught", out) < CLOSE


def refused(command: str) -> str:
    done = shell(command)
    assert done.returncode == 2
    return done.stderr


@pytest.mark.parametrize("dry", ["", " --dry-run"])
@pytest.mark.parametrize("name", ["adagrad", "multi", "scaled_late"])
def test_a_learning_rate_is_asked_for_with_the_whole_command(
    starts: Path, tmp_path: Path, name: str, dry: str
) -> None:
    model, weights = starts / name / "model.tflite", starts / name / "w.weights.h5"
    out = tmp_path / "with space.tflite"
    done = shell(f"tflrepair fix {model} -w {weights} -o '{out}'{dry}")
    assert done.returncode == 2
    text = done.stdout + done.stderr
    assert "only `train` reads" in text
    assert "any value will do if you do not run `train`" in text
    command = advised(text)
    assert command.endswith("--learning-rate 1e-4")
    pasted = shell(command)
    assert pasted.returncode == 0, pasted.stderr
    assert out.is_file()


def test_an_optimizer_of_a_name_of_its_own_is_asked_for(starts: Path, tmp_path: Path) -> None:
    folder, out = starts / "named", tmp_path / "out.tflite"
    model, weights = folder / "model.tflite", folder / "w.weights.h5"
    text = refused(f"tflrepair fix {model} --weights {weights} -o {out}")
    command = advised(text)
    assert "--set 'mine/*_accumulator=0'" in command
    command = command.replace("accumulator=0", "accumulator=0.4").replace("1e-4", "0.05")
    assert shell(command).returncode == 0
    assert furthest(folder, out) < CLOSE


def test_a_copy_can_be_asked_for(starts: Path, tmp_path: Path) -> None:
    """Also where the graph does not show it: as the other half of the advice says."""
    folder, out = starts / "named", tmp_path / "out.tflite"
    result = repaired(folder, "w.weights.h5", out, sets={"mine/*_accumulator": "copy"}, **RATE)
    assert result.table is not None
    rows = {row.target.shared_name: row for row in result.table.rows}
    copy, owner = rows["mine/net_a_kernel_accumulator"], rows["net/a/kernel"]
    assert (copy.value() == owner.value()).all()
    with pytest.raises(UserError, match="named after no other variable"):
        repaired(folder, "w.weights.h5", out, sets={"mine/iteration": "copy"}, force=True, **RATE)


@pytest.mark.parametrize("file", ["saved_model", "model.keras"])
def test_a_learning_rate_that_is_given_comes_before_the_files(
    starts: Path, tmp_path: Path, file: str
) -> None:
    out = tmp_path / "o.tflite"
    result = repaired(starts / "adagrad", file, out, dry_run=True, learning_rate=0.25)
    assert result.table is not None
    rows = {row.target.shared_name: row for row in result.table.rows}
    assert rows["adagrad/learning_rate"].value() == 0.25


def test_a_learning_rate_for_a_model_that_has_none(states: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no learning rate"):
        repaired(states / "slice", "w.weights.h5", tmp_path / "o.tflite", learning_rate=0.25)


def test_the_library_tells_the_options(starts: Path, tmp_path: Path) -> None:
    with pytest.raises(UndecidedError) as caught:
        repaired(starts / "named", "w.weights.h5", tmp_path / "o.tflite")
    assert caught.value.options == ("--learning-rate 1e-4", "--set 'mine/*_accumulator=0'")
