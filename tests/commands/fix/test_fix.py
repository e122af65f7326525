"""fix from end to end: on the shipped sample, and on the model of the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from build import save_npz
from contract import hold
from running import Session
from samples import RATE, cli, contents

import tflrepair
from tflrepair.commands.fix.options import listed, sources_of
from tflrepair.commands.fix.outputs import default_output
from tflrepair.errors import RefusedError

pytestmark = pytest.mark.runs


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


def test_dry_run_shows_the_table_and_writes_nothing(broken: Path) -> None:
    names = contents(broken.parent)
    arguments = ["fix", "broken.tflite", "--weights", "classifier.weights.h5", "--dry-run", "--all"]
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
        hold(json.loads(done.stdout))


def test_a_map_decides(broken: Path) -> None:
    """Arrays without any evidence but their shape: two of one shape need a map."""
    scanned = tflrepair.scan(broken).analysis.variables
    rng = np.random.default_rng(0)
    own = [v for v in scanned if not v.name.startswith("adam/")]
    arrays = {f"a{i}": rng.random(v.shape or ()).astype(np.float32) for i, v in enumerate(own)}
    save_npz(broken.with_name("w.npz"), arrays)
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
        (["--map", "nothing.json"], "no such file"),
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
    save_npz(broken.with_name("trained.npz"), trained)
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
    save_npz(broken.with_name("half.npz"), {"classifier/dense_2/bias": np.ones(8, np.float32)})
    with pytest.raises(RefusedError, match="no layer in the weights fits"):
        tflrepair.fix(once, [broken.with_name("half.npz")], replace_values=True)


def test_check_refuses_wrong_answers(broken: Path) -> None:
    np.savez(broken.with_name("wrong.npz"), output=np.array([[0.9, 0.05, 0.05]], np.float32))
    arguments = ("fix", "broken.tflite", "-w", "classifier.weights.h5", "--set",
                 "adam/learning_rate=0.001", "--check", "input.npz")  # fmt: skip
    done = cli(*arguments, "wrong.npz", folder=broken.parent)
    assert done.returncode == 2
    assert "does not give the expected outputs" in done.stderr
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


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((), (("saved",), False)),
        ("saved", (("saved",), False)),
        ([Path("saved")], ([Path("saved")], False)),
        (["saved", "w.h5"], (["saved", "w.h5"], True)),
        ({"w": 1}, (({"w": 1},), True)),
    ],
)
def test_weights_beside_those_of_a_saved_model(weights: object, expected: object) -> None:
    assert sources_of(weights, tflrepair.Origin(saved_model=Path("saved"))) == expected
    given = sources_of(weights, tflrepair.Origin(module="module.py:M"))
    assert given == (listed(weights), bool(weights))
