"""fix from end to end: on the shipped sample, and on the model of the report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import ROOT
from running import Session, rows

import tflrepair
from tflrepair.commands.fix.outputs import default_output
from tflrepair.errors import RefusedError, UserError

RATE = {"adam/learning_rate": "0.001"}
SCHEMAS = ROOT / "tflrepair" / "report" / "schemas"


@pytest.fixture
def broken(sample: Path, tmp_path: Path) -> Path:
    """The sample in a folder of its own: broken.tflite and its weights."""
    for name in ("broken.tflite", "classifier.weights.h5", "input.npz", "expected.npz"):
        shutil.copy(sample / name, tmp_path / name)
    return tmp_path / "broken.tflite"


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def cli(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tflrepair", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_changes(broken: Path) -> None:
    weights = broken.with_name("classifier.weights.h5")
    before = broken.read_bytes()
    result = tflrepair.fix(broken, [weights], sets=RATE)
    out = broken.with_name("broken.fixed.tflite")
    assert result.out == str(out)
    assert result.changes
    assert not result.problems
    assert result.after is not None
    assert result.after.ok
    assert result.run is not None
    assert result.run.ok
    assert broken.read_bytes() == before
    assert out.read_bytes().endswith(before)
    session = Session(out)
    given = np.load(broken.with_name("input.npz"))
    wanted = np.load(broken.with_name("expected.npz"))
    answer = session.run("infer", **given)["output"]
    np.testing.assert_allclose(answer, wanted["output"], atol=1e-6)


def test_twice_equals_once(broken: Path) -> None:
    weights = [broken.with_name("classifier.weights.h5")]
    once = Path(str(tflrepair.fix(broken, weights, sets=RATE).out))
    written = once.read_bytes()
    again = tflrepair.fix(once, weights, sets=RATE)
    assert not again.changes
    assert not again.problems
    assert again.out is None
    assert once.read_bytes() == written
    assert not default_output(once).exists()


def test_changes_nothing_on_a_healthy_file(data: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(data / "healthy.tflite", tmp_path))
    assert not tflrepair.fix(path).changes
    assert contents(tmp_path) == {"healthy.tflite"}
    done = cli("fix", "healthy.tflite", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing to fix" in done.stdout


def test_a_learning_rate_is_never_guessed(broken: Path) -> None:
    done = cli("fix", "broken.tflite", "--weights", "classifier.weights.h5", folder=broken.parent)
    assert done.returncode == 2
    assert "adam/learning_rate" in done.stderr
    assert "--set adam/learning_rate=VALUE" in done.stderr
    assert not broken.with_name("broken.fixed.tflite").exists()


def test_weights_that_do_not_fit_are_refused_and_nothing_is_written(broken: Path) -> None:
    names = contents(broken.parent)
    np.savez(broken.with_name("other.npz"), a=np.zeros((7, 7), np.float32))
    with pytest.raises(RefusedError, match="no layer in the weights fits"):
        tflrepair.fix(broken, [broken.with_name("other.npz")], sets=RATE)
    assert contents(broken.parent) == names | {"other.npz"}


def test_an_existing_output_is_kept_unless_forced(broken: Path) -> None:
    out = broken.with_name("out.tflite")
    out.write_text("precious")
    weights = [broken.with_name("classifier.weights.h5")]
    with pytest.raises(UserError, match="exists already"):
        tflrepair.fix(broken, weights, sets=RATE, out=out)
    assert out.read_text() == "precious"
    tflrepair.fix(broken, weights, sets=RATE, out=out, force=True)
    assert tflrepair.scan(out).ok


def test_an_existing_output_is_refused_before_any_work(broken: Path) -> None:
    """The weights do not fit, but that is not looked at."""
    out = broken.with_name("out.tflite")
    out.write_text("precious")
    np.savez(broken.with_name("other.npz"), a=np.zeros((7, 7), np.float32))
    with pytest.raises(UserError, match="exists already"):
        tflrepair.fix(broken, [broken.with_name("other.npz")], sets=RATE, out=out)


@pytest.mark.parametrize("link", ["none", "soft", "hard"])
@pytest.mark.parametrize("source", ["broken.tflite", "classifier.weights.h5", "input.npz"])
def test_an_input_is_never_the_output(broken: Path, link: str, source: str) -> None:
    path = broken.with_name(source)
    content = path.read_bytes()
    out = path if link == "none" else broken.with_name("link.tflite")
    if link == "soft":
        out.symlink_to(path)
    if link == "hard":
        out.hardlink_to(path)
    weights = [broken.with_name("classifier.weights.h5")]
    check = (broken.with_name("input.npz"), broken.with_name("expected.npz"))
    with pytest.raises(UserError, match="the output is the input"):
        tflrepair.fix(broken, weights, sets=RATE, out=out, force=True, check=check)
    with pytest.raises(UserError, match="the output is the input"):
        tflrepair.fix(broken, weights, sets=RATE, map_out=out, force=True, check=check)
    assert path.read_bytes() == content


HEALTHY_INPUTS = {
    "weights": (["--weights", "nothing.h5"], "no such file"),
    "page": (["--weights", "page.html"], "page.html"),
    "set": (["--set", "nothing=1"], "no variable that takes a value"),
    "check": (["--check", "nothing.npz", "expected.npz"], "nothing.npz"),
    "answers": (["--check", "input.npz", "nothing.npz"], "nothing.npz"),
}


@pytest.mark.parametrize("case", HEALTHY_INPUTS)
def test_inputs_are_validated_where_there_is_nothing_to_fix(broken: Path, case: str) -> None:
    weights = broken.with_name("classifier.weights.h5")
    tflrepair.fix(broken, [weights], sets=RATE, out=broken.with_name("healthy.tflite"))
    broken.with_name("page.html").write_text("<!DOCTYPE html>")
    options, says = HEALTHY_INPUTS[case]
    done = cli("fix", "healthy.tflite", *options, folder=broken.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_check_runs_where_there_is_nothing_to_fix(broken: Path) -> None:
    weights = broken.with_name("classifier.weights.h5")
    tflrepair.fix(broken, [weights], sets=RATE, out=broken.with_name("healthy.tflite"))
    np.savez(broken.with_name("wrong.npz"), output=np.array([[0.9, 0.05, 0.05]], np.float32))
    done = cli("fix", "healthy.tflite", "--check", "input.npz", "expected.npz",
               folder=broken.parent)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "healthy.fixed.tflite was not written" in done.stdout
    assert "infer" in done.stdout
    done = cli("fix", "healthy.tflite", "--check", "input.npz", "wrong.npz", folder=broken.parent)
    assert done.returncode == 2
    assert "does not answer as expected" in done.stderr


def test_a_dry_run_says_what_would_be_checked(broken: Path) -> None:
    arguments = ("fix", "broken.tflite", "-w", "classifier.weights.h5", "--set",
                 "adam/learning_rate=0.001", "--dry-run", "--check", "input.npz")  # fmt: skip
    done = cli(*arguments, "expected.npz", folder=broken.parent)
    assert done.returncode == 0, done.stderr
    assert "would be run on input.npz and its outputs compared with expected.npz" in done.stdout
    done = cli(*arguments, "nothing.npz", folder=broken.parent)
    assert (done.returncode, "nothing.npz" in done.stderr) == (2, True)


def test_a_folder_that_does_not_exist(broken: Path) -> None:
    weights = [broken.with_name("classifier.weights.h5")]
    with pytest.raises(UserError, match="folder does not exist"):
        tflrepair.fix(broken, weights, sets=RATE, out=broken.parent / "no" / "out.tflite")


def test_a_failure_while_writing_leaves_nothing(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, which cannot be provoked here, stands for whatever goes wrong."""
    import tflrepair.passes.graft.graft as module

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.Graft, "write", full)
    names = contents(broken.parent)
    weights = [broken.with_name("classifier.weights.h5")]
    with pytest.raises(UserError, match="No space left"):
        tflrepair.fix(broken, weights, sets=RATE)
    assert contents(broken.parent) == names


def test_a_result_that_does_not_run_is_not_kept(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graft whose CALL_ONCE is missing passes no check: the plan is robbed of its entries."""
    import tflrepair.commands.fix.fix as module

    whole = module.plan_fix

    def robbed(*arguments: Any) -> Any:
        return replace(whole(*arguments), entries=(0,))

    def blind(*_: Any) -> None:
        """Sees nothing wrong."""

    monkeypatch.setattr(module, "plan_fix", robbed)
    weights = [broken.with_name("classifier.weights.h5")]
    with pytest.raises(RefusedError, match="failed its own check"):
        tflrepair.fix(broken, weights, sets=RATE)
    monkeypatch.setattr(module, "check_grafted", blind)
    monkeypatch.setattr(module.GraftPass, "ensures", blind)
    with pytest.raises(RefusedError, match="`train` of the result does not run right"):
        tflrepair.fix(broken, weights, sets=RATE)
    assert not broken.with_name("broken.fixed.tflite").exists()


def test_dry_run_shows_the_table_and_writes_nothing(broken: Path) -> None:
    names = contents(broken.parent)
    arguments = ["fix", "broken.tflite", "--weights", "classifier.weights.h5", "--dry-run"]
    done = cli(*arguments, folder=broken.parent)
    assert done.returncode == 2
    assert "adam/learning_rate" in done.stdout
    done = cli(*arguments, "--set", "adam/learning_rate=0.001", folder=broken.parent)
    assert done.returncode == 0
    assert "layers/dense_1/vars/0" in done.stdout
    assert "nothing written (dry run)" in done.stdout
    assert contents(broken.parent) == names


def test_json_follows_its_schema(broken: Path) -> None:
    for arguments in (
        ["scan", "broken.tflite"],
        ["fix", "broken.tflite", "--weights", "classifier.weights.h5", "--dry-run"],
        ["fix", "broken.tflite", "--weights", "classifier.weights.h5", "--set",
         "adam/learning_rate=0.001"],
        ["scan", "broken.fixed.tflite"],
        ["verify", "broken.fixed.tflite", "--signature", "infer", "--runtime", "litert"],
    ):  # fmt: skip
        done = cli(*arguments, "--format", "json", folder=broken.parent)
        answer = json.loads(done.stdout)
        name, version = answer["schema"].split("/")[1:]
        schema = json.loads((SCHEMAS / f"{name}-{version}.json").read_text())
        jsonschema.validate(answer, schema)


def test_a_map_decides(broken: Path) -> None:
    """Arrays without any evidence but their shape: two of one shape need a map."""
    scanned = tflrepair.scan(broken).analysis.variables
    rng = np.random.default_rng(0)
    own = [v for v in scanned if not v.name.startswith("adam/")]
    arrays = {f"a{i}": rng.random(v.shape or ()).astype(np.float32) for i, v in enumerate(own)}
    np.savez(broken.with_name("w.npz"), **arrays)
    with pytest.raises(RefusedError, match="--map"):
        tflrepair.fix(broken, [broken.with_name("w.npz")], sets=RATE)
    mapping = {v.name: f"a{i}" for i, v in enumerate(own)}
    broken.with_name("map.json").write_text(json.dumps(mapping))
    done = cli("fix", "broken.tflite", "--weights", "w.npz", "--map", "map.json", "--set",
               "adam/learning_rate=0.001", folder=broken.parent)  # fmt: skip
    assert done.returncode == 0, done.stderr
    model = tflrepair.load(broken.with_name("broken.fixed.tflite"))
    for variable in tflrepair.scan(model).analysis.variables:
        if variable.name in mapping:
            assert variable.initial is not None
            data = np.frombuffer(model.buffer_bytes(variable.initial.buffer), np.float32)
            wanted = arrays[mapping[variable.name]]
            np.testing.assert_array_equal(data.reshape(wanted.shape), wanted)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "adam/learning_rate"], "is not NAME=VALUE"),
        (["--set", "a=1", "--set", "a=2"], "two values"),
        (["--set", "adam/learning_rte=1"], "adam/learning_rate"),
        (["--map", "nothing.json"], "cannot be read"),
        (["--map", "input.npz"], "map"),
        (["--weights", "nothing.h5"], "no such file"),
        (["--weights", "broken.tflite"], "no initial values"),
    ],
)
def test_wrong_options(broken: Path, arguments: list[str], says: str) -> None:
    done = cli("fix", "broken.tflite", *arguments, folder=broken.parent)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.tf
def test_the_reported_model(reported: Path, tmp_path: Path) -> None:
    """282 variables: 268 from the weights of another instance, 14 of the optimizer."""
    model = reported / "model.tflite"
    scanned = tflrepair.scan(model)
    assert len(scanned.analysis.variables) == 282
    assert {v.status for v in scanned.analysis.variables} == {"uninitialized"}
    assert not scanned.ok
    result = tflrepair.fix(
        model,
        [reported / "new_model.weights.h5"],
        sets={"adam/learning_rate": "1e-4"},
        out=tmp_path / "fixed.tflite",
    )
    assert result.table is not None
    origins = [row.origin for row in result.table.rows]
    assert (origins.count("weight"), origins.count("initial"), origins.count("set")) == (268, 13, 1)
    assert (tmp_path / "fixed.tflite").read_bytes().endswith(model.read_bytes())
    assert tflrepair.scan(tmp_path / "fixed.tflite").ok

    truth = np.load(reported / "values.npz")
    fixed = tflrepair.load(tmp_path / "fixed.tflite")
    for variable in tflrepair.scan(fixed).analysis.variables:
        assert variable.initial is not None
        data = bytes(fixed.buffer_bytes(variable.initial.buffer))
        path = variable.name.removeprefix("adam/") if variable.name not in truth else variable.name
        assert data == truth[path].tobytes(), variable.name


@pytest.mark.tf
@pytest.mark.parametrize("runtime", ["litert", "tf.lite"])
def test_the_reported_model_answers_as_in_python(
    reported: Path, tmp_path: Path, runtime: str
) -> None:
    out = tmp_path / "fixed.tflite"
    tflrepair.fix(
        reported / "model.tflite",
        [reported / "new_model.weights.h5"],
        sets={"adam/learning_rate": "1e-4"},
        out=out,
    )
    known = dict(np.load(reported / "io.npz"))
    # the answers tell images and classes apart, or agreement would prove nothing
    assert known["output"].std(axis=0).max() > 1e-3
    assert known["output"].std(axis=1).min() > 1e-3
    report = tflrepair.verify(
        out,
        signature="infer",
        inputs={"x": known["x"]},
        expect={"output": known["output"]},
        rtol=0,
        atol=1e-5,
        runtimes=[runtime],
    )
    assert report.ok, report.to_dict()


@pytest.mark.tf
def test_the_small_model_trains_as_in_python(small: Path, tmp_path: Path) -> None:
    """Ten steps under LiteRT lose what ten eager steps lose, and `infer` changes with them."""
    out = tmp_path / "fixed.tflite"
    weights = [small / "classifier.weights.h5"]
    tflrepair.fix(small / "model.tflite", weights, sets=RATE, out=out)
    known = np.load(small / "training.npz")
    session = Session(out)
    before = rows(session, known["x"])
    losses = [float(session.run("train", x=known["x"], y=known["y"])["loss"]) for _ in range(10)]
    np.testing.assert_allclose(losses, known["loss"], rtol=1e-5)
    after = rows(session, known["x"])
    np.testing.assert_allclose(after, known["output"], atol=1e-5)
    assert np.abs(after - before).max() > 1e-3


def test_replace_bakes_new_values_in(broken: Path) -> None:
    """Twice fixed from different weights with --replace equals fixed once from the second."""
    weights = [broken.with_name("classifier.weights.h5")]
    once = Path(str(tflrepair.fix(broken, weights, sets=RATE).out))
    rng = np.random.default_rng(5)
    scanned = tflrepair.scan(once).analysis.variables
    trained = {
        v.name: rng.random(v.shape or ()).astype(np.float32)
        for v in scanned
        if not v.name.startswith("adam/")
    }
    np.savez(broken.with_name("trained.npz"), **trained)
    second = [broken.with_name("trained.npz")]
    assert not tflrepair.fix(once, second).changes
    out = broken.with_name("again.tflite")
    result = tflrepair.fix(once, second, replace_values=True, out=out)
    assert result.plan is not None
    assert len(result.plan.replacements) == len(trained)
    direct = broken.with_name("direct.tflite")
    tflrepair.fix(broken, second, sets=RATE, out=direct)
    one, two = Session(out), Session(direct)
    x = np.ones((8, 4), np.float32)
    y = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 0, 1]]
    for _ in range(3):
        assert one.run("train", x=x, y=y)["loss"] == two.run("train", x=x, y=y)["loss"]
        answers = [session.run("infer", x=x[:1])["output"].tobytes() for session in (one, two)]
        assert answers[0] == answers[1]


def test_replace_refuses_half_of_the_weights(broken: Path) -> None:
    weights = [broken.with_name("classifier.weights.h5")]
    once = Path(str(tflrepair.fix(broken, weights, sets=RATE).out))
    np.savez(broken.with_name("half.npz"), **{"classifier/dense_2/bias": np.ones(8, np.float32)})
    with pytest.raises(RefusedError, match="no layer in the weights fits"):
        tflrepair.fix(once, [broken.with_name("half.npz")], replace_values=True)


def test_check_refuses_wrong_answers(broken: Path) -> None:
    np.savez(broken.with_name("wrong.npz"), output=np.array([[0.9, 0.05, 0.05]], np.float32))
    arguments = ("fix", "broken.tflite", "-w", "classifier.weights.h5", "--set",
                 "adam/learning_rate=0.001", "--check", "input.npz")  # fmt: skip
    done = cli(*arguments, "wrong.npz", folder=broken.parent)
    assert done.returncode == 2
    assert "does not answer as expected" in done.stderr
    assert not broken.with_name("broken.fixed.tflite").exists()
    done = cli(*arguments, "expected.npz", folder=broken.parent)
    assert done.returncode == 0, done.stderr


def test_map_out_can_be_given_back(broken: Path) -> None:
    arguments = ("fix", "broken.tflite", "-w", "classifier.weights.h5", "--set",
                 "adam/learning_rate=0.001")  # fmt: skip
    done = cli(*arguments, "--map-out", "map.json", "-o", "a.tflite", folder=broken.parent)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(broken.with_name("map.json").read_text())) == 8
    done = cli(*arguments, "--map", "map.json", "-o", "b.tflite", folder=broken.parent)
    assert done.returncode == 0, done.stderr
    assert broken.with_name("a.tflite").read_bytes() == broken.with_name("b.tflite").read_bytes()


def test_freeze_keeps_the_answers(broken: Path) -> None:
    """A model without `train` would freeze whole; here the weights that train stay variables."""
    weights = [broken.with_name("classifier.weights.h5")]
    plain = Path(str(tflrepair.fix(broken, weights, sets=RATE).out))
    frozen = broken.with_name("frozen.tflite")
    result = tflrepair.fix(broken, weights, sets=RATE, freeze=True, out=frozen)
    assert result.notes
    again = tflrepair.fix(frozen, freeze=True)
    assert not again.changes
    x = np.load(broken.with_name("input.npz"))["x"]
    one, two = Session(plain), Session(frozen)
    assert one.run("infer", x=x)["output"].tobytes() == two.run("infer", x=x)["output"].tobytes()


@pytest.mark.parametrize(
    "options",
    [
        ["--strategy", "graft", "--saved-model", "."],
        ["--strategy", "graft", "--module", "a.py:A"],
        ["--init-kwargs", "{}"],
    ],
)
def test_options_that_do_not_go_together(broken: Path, options: list[str]) -> None:
    done = cli(
        "fix", "broken.tflite", "-w", "classifier.weights.h5", *options, folder=broken.parent
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tflrepair: ")
