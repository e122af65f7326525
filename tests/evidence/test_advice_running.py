"""Advice that needs a run of the model to be followed, each as it is printed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import made
from following import follows, say, told
from weights.cases import DATA

import tflrepair

pytestmark = pytest.mark.runs
PARALLEL, TWINS, INT8 = DATA / "parallel", DATA / "twins", DATA / "int8"


def saved(path: Path, values: dict[str, Any]) -> Path:
    np.savez(path, **values)
    return path


def checking(folder: Path, case: Path, change: float = 0.0, **more: Any) -> str:
    """``--check`` with what the right model answers, plus ``change``."""
    both = {**np.load(case / "io.npz"), **more}
    inputs = {k: v for k, v in both.items() if not k.startswith(("y", "output"))}
    outputs = {k: v + change for k, v in both.items() if k not in inputs}
    return f"--check {saved(folder / 'in.npz', inputs)} {saved(folder / 'out.npz', outputs)}"


def renumbered(folder: Path) -> tuple[Path, dict[str, str]]:
    """The branches of one shape under other numbers, and where each variable is then."""
    values = dict(np.load(PARALLEL / "by_path.npz"))
    places = {name: name.replace("dense_", "dense_4") for name in values}
    file = saved(folder / "weights.npz", {places[name]: array for name, array in values.items()})
    return file, places


@follows("same-weights")
def test_outputs_of_other_weights(tmp_path: Path) -> None:
    file, _ = renumbered(tmp_path)
    out = tmp_path / "out.tflite"
    command = f"tflrepair fix {PARALLEL / 'model.tflite'} -w {file} -o {out}"
    code, text = say(f"{command} {checking(tmp_path, PARALLEL, 1)}")
    assert code == 2
    told(text, "same-weights")
    _, shown = say(f"{command} --dry-run")
    assert "dense_47 in" in shown  # what each can be
    assert say(f"{command} {checking(tmp_path, PARALLEL)}")[0] == 0


@follows("see-the-match")
def test_outputs_that_the_one_reading_does_not_give(tmp_path: Path) -> None:
    file, out = PARALLEL / "by_path.npz", tmp_path / "out.tflite"
    command = f"tflrepair fix {PARALLEL / 'model.tflite'} -w {file} -o {out}"
    code, text = say(f"{command} {checking(tmp_path, PARALLEL, 1)}")
    assert code == 2 and not out.exists()
    told(text, "see-the-match")
    code, shown = say(f"{command} --dry-run")
    assert code == 0 and "has the same name in the NumPy archive" in shown
    assert say(f"{command} {checking(tmp_path, PARALLEL)}")[0] == 0


@follows("map-some")
def test_more_readings_than_a_search_can_tell(tmp_path: Path) -> None:
    out, path = tmp_path / "out.tflite", tmp_path / "map.json"
    command = f"tflrepair fix {TWINS / 'model.tflite'} -w {TWINS / 'donor.npz'}"
    code, text = say(f"{command} -o {out} {checking(tmp_path, TWINS, 50)}")
    assert code == 2
    told(text, "map-some")
    assert say(f"{command} --dry-run --map-out {path}")[0] == 2
    values = np.load(TWINS / "donor.npz")
    wanted = {name.replace("|", "/"): a for name, a in np.load(TWINS / "truth.npz").items()}
    chosen = {
        name: next(p for p in text.split()[1:] if np.array_equal(values[p], wanted[name]))
        for name, text in json.loads(path.read_text()).items()
    }
    path.write_text(json.dumps(chosen))
    assert say(f"{command} --map {path} -o {out}")[0] == 0


@follows("other-inputs")
def test_inputs_that_do_not_tell_in_few_bits(tmp_path: Path) -> None:
    """Two layers alike but for 0.001 in all of one: the first inputs do not tell them apart."""
    arrays = {name.replace("|", "/"): a for name, a in np.load(INT8 / "truth.npz").items()}
    one, two = sorted({name.split("/")[0] for name in arrays})[:2]
    near = {
        name: arrays[name.replace(two, one)] + np.float32(1e-3) if two in name else a
        for name, a in arrays.items()
    }
    model = INT8 / "model.tflite"
    known = tflrepair.fix(model, [near], out=tmp_path / "known.tflite", by_name=True)
    from running import Session

    x = np.load(INT8 / "io.npz")["x"]
    y = np.asarray(Session(Path(str(known.out))).run("infer", x=x)["y"])
    file = saved(tmp_path / "w.npz", {n.replace("dense_", "dense_4"): a for n, a in near.items()})
    command = f"tflrepair fix {model} -w {file} -o {tmp_path / 'out.tflite'}"
    code, text = say(f"{command} {checking(tmp_path, INT8, y=y + np.float32(2e-4))}")
    assert code == 2
    told(text, "other-inputs")
    path = tmp_path / "map.json"
    say(f"{command} --dry-run --map-out {path}")
    path.write_text(json.dumps({name: name.replace("dense_", "dense_4") for name in near}))
    assert say(f"{command} --map {path}")[0] == 0


@follows("replace")
def test_a_variable_that_has_a_value(data: Path, tmp_path: Path) -> None:
    model, out = data / "partial.tflite", tmp_path / "out.tflite"
    found = tflrepair.scan(model).analysis.variables
    has = next(v.name for v in found if not v.unset_in)
    command = f"tflrepair fix {model} -w {data / 'partial.npz'} -o {out}"
    command += f" --set {shlex.quote(f'{has}=2')}"
    code, text = say(command)
    assert code == 2
    told(text, "replace")
    assert say(f"{command} --replace")[0] == 0


@pytest.mark.tf
@follows("folded")
def test_constants_into_which_something_was_folded(tmp_path: Path) -> None:
    here, path = made("constants") / "conv_bn", tmp_path / "map.json"
    command = f"tflrepair fix {here / 'model.tflite'} --dry-run"
    code, text = say(f"{command} -w {here / 'source.tflite'}")
    assert code == 2
    told(text, "folded")
    assert say(f"{command} -w {here / 'saved_model'}")[0] == 0  # another file
    assert say(f"{command} -w {here / 'source.tflite'} --map-out {path}")[0] == 2


@pytest.mark.tf
@follows("no-flex")
def test_a_signature_with_flex(tmp_path: Path) -> None:
    """Its answers cannot be had here; those of a signature without Flex decide."""
    here, out = made("training") / "dense_gelu", tmp_path / "out.tflite"
    values, eager = np.load(here / "values.npz"), np.load(here / "eager.npz")
    layers = {"one": "dense", "two": "dense", "three": "dense_1", "four": "dense_2"}
    arrays = {
        f"{new}/{role}": values[f"{old}/{role}"] + np.float32(new == "two")
        for new, old in layers.items()
        for role in ("kernel", "bias")
    }
    file = saved(tmp_path / "weights.npz", arrays)
    command = f"tflrepair fix {here / 'model.tflite'} -w {file} --learning-rate 0.01 -o {out}"
    given = saved(tmp_path / "in.npz", {"train/x": eager["x"], "train/y": eager["y"]})
    expected = saved(tmp_path / "out.npz", {"train/loss": eager["losses"][0]})
    code, text = say(f"{command} --check {given} {expected}")
    assert code == 2
    told(text, "no-flex")
    given = saved(tmp_path / "in.npz", {"infer/x": eager["x"]})
    expected = saved(tmp_path / "out.npz", {"infer/output": eager["output"]})
    code, text = say(f"{command} --check {given} {expected}")
    assert code == 0, text
