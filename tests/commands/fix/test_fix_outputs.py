"""What fix refuses before it does any work, and what it checks where there is nothing to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import RATE, cli, contents

import tflrepair
from tflrepair.commands.fix.planning import plan_fix
from tflrepair.errors import RefusedError, UserError
from tflrepair.passes.graft.graft import GraftPass


@pytest.mark.runs
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
    "set": (["--set", "nothing=1"], "not a variable that takes a value"),
    "check": (["--check", "nothing.npz", "expected.npz"], "nothing.npz"),
    "answers": (["--check", "input.npz", "nothing.npz"], "nothing.npz"),
}


@pytest.mark.runs
@pytest.mark.parametrize("case", HEALTHY_INPUTS)
def test_inputs_are_validated_where_there_is_nothing_to_fix(broken: Path, case: str) -> None:
    weights = broken.with_name("classifier.weights.h5")
    tflrepair.fix(broken, [weights], sets=RATE, out=broken.with_name("healthy.tflite"))
    broken.with_name("page.html").write_text("<!DOCTYPE html>")
    options, says = HEALTHY_INPUTS[case]
    done = cli("fix", "healthy.tflite", *options, folder=broken.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.runs
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
    assert "does not give the expected outputs" in done.stderr


@pytest.mark.runs
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


@pytest.mark.runs
def test_a_result_that_does_not_run_is_not_kept(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graft whose CALL_ONCE is missing passes no check: the plan is robbed of its entries."""
    module = "tflrepair.commands.fix.fix"

    def robbed(*arguments: Any) -> Any:
        return replace(plan_fix(*arguments), entries=(0,))

    def blind(*_: Any) -> None:
        """Sees nothing wrong."""

    monkeypatch.setattr(f"{module}.plan_fix", robbed)
    weights = [broken.with_name("classifier.weights.h5")]
    with pytest.raises(RefusedError, match="failed its own check"):
        tflrepair.fix(broken, weights, sets=RATE)
    monkeypatch.setattr(f"{module}.check_grafted", blind)
    monkeypatch.setattr(GraftPass, "ensures", blind)
    with pytest.raises(RefusedError, match="`train` of the result does not run correctly"):
        tflrepair.fix(broken, weights, sets=RATE)
    assert not broken.with_name("broken.fixed.tflite").exists()
