"""``--format json``: every command and every kind of error prints one object of its schema."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import warm
from conftest import DATA, ROOT
from contract import SCHEMAS, hold

from tflrepair.errors import ErrorCode
from tflrepair.report.contract.commands import RESULTS

pytestmark = pytest.mark.runs

SAMPLES = ROOT / "tflrepair" / "samples"
WEIGHTS = ("--weights", "classifier.weights.h5")
RATE = ("--set", "adam/learning_rate=0.001")
FIXED = ("fix", "broken.tflite", *WEIGHTS, *RATE)

# what is called -> its exit code
CALLS: dict[str, tuple[tuple[str, ...], int]] = {
    "scan": (("scan", "broken.tflite"), 1),
    "scan sound": (("scan", "healthy.tflite"), 0),
    "scan many": (("scan", "healthy.tflite", "broken.tflite", "nothing.tflite"), 2),
    "scan folder": (("scan", "."), 2),
    "scan target": (("scan", "healthy.tflite", "--target", "litert"), 0),
    "scan page": (("scan", "healthy.tflite", "--html", "page.html"), 0),
    "scan damaged": (("scan", "damaged.tflite"), 2),
    "scan salvage": (("scan", "damaged.tflite", "--salvage"), 2),
    "show": (("show", "broken.tflite"), 0),
    "show values": (("show", "partial.tflite", "--tensor", "#1", "--values"), 0),
    "diff": (("diff", "healthy.tflite", "f16.tflite"), 1),
    "diff same": (("diff", "healthy.tflite", "healthy.tflite", "--run"), 0),
    "extract": (("extract", "healthy.tflite", "-o", "w.npz"), 0),
    "extract part": (("extract", "healthy.tflite", "--signature", "infer", "-o", "p.tflite"), 0),
    "fix": (FIXED, 0),
    "fix dry": ((*FIXED, "--dry-run"), 0),
    "fix strict": ((*FIXED, "--strict", "-o", "s.tflite"), 0),
    "fix open": (("fix", "broken.tflite", *WEIGHTS, "--dry-run"), 2),
    "verify": (("verify", "healthy.tflite", "--runtime", "litert"), 0),
    "verify broken": (("verify", "partial.tflite", "--runtime", "litert"), 1),
    "add-state": (("add-state", "healthy.tflite", "-o", "state.tflite", "--state", "all"), 0),
    "explain": (("explain", "tfr001"), 0),
    "explain all": (("explain",), 0),
    "explain text": (("explain", "read_variable.cc:67 variable != nullptr was not true"), 0),
    "demo": (("demo",), 0),
}

# what is called -> code of the error
ERRORS: dict[str, tuple[tuple[str, ...], ErrorCode]] = {
    "no command": (("frobnicate",), ErrorCode.USAGE),
    "no option": (("scan", "healthy.tflite", "--frobnicate"), ErrorCode.USAGE),
    "no argument": (("show",), ErrorCode.USAGE),
    "no number": (("show", "healthy.tflite", "--around", "many"), ErrorCode.USAGE),
    "no file": (("show", "nothing.tflite"), ErrorCode.BAD_FILE),
    "no model": (("show", "page.tflite"), ErrorCode.BAD_FILE),
    "no signature": (("verify", "healthy.tflite", "--signature", "x"), ErrorCode.USAGE),
    "exists": (("extract", "healthy.tflite", "-o", "page.npz"), ErrorCode.USAGE),
    "no folder": (("extract", "healthy.tflite", "-o", "no/w.npz"), ErrorCode.USAGE),
    "damaged": (("diff", "healthy.tflite", "damaged.tflite"), ErrorCode.DAMAGED_FILE),
    "undecided": (("fix", "broken.tflite", *WEIGHTS, "-o", "u.tflite"), ErrorCode.UNDECIDED),
    "no weights": (("fix", "broken.tflite", "-w", "no.h5", "-o", "u.tflite"), ErrorCode.BAD_FILE),
    "train broken": (("train", "broken.tflite", "--data", "input.npz"), ErrorCode.REFUSED),
    "convert nothing": (("convert", "no-folder", "-o", "x.tflite"), ErrorCode.USAGE),
    "rebuild nothing": (("rebuild", "broken.tflite"), ErrorCode.USAGE),
    "explain": (("explain", "TFR999"), ErrorCode.USAGE),
    "state of broken": (("add-state", "broken.tflite", "-o", "y.tflite"), ErrorCode.REFUSED),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("contract")
    for path in (*SAMPLES.glob("*.*"), *DATA.glob("*.*")):
        shutil.copy(path, place)
    (place / "page.tflite").write_text("<!DOCTYPE html><title>404</title>")
    (place / "page.npz").write_bytes(b"")
    whole = bytearray((DATA / "healthy.tflite").read_bytes())
    whole[-400:] = b"\xff" * 400
    (place / "damaged.tflite").write_bytes(whole)
    return place


def call(folder: Path, *words: str, kind: str = "light") -> subprocess.CompletedProcess[str]:
    return warm.command_line(*words, "--format", "json", cwd=folder, kind=kind)


@pytest.mark.parametrize("name", CALLS)
def test_every_command(folder: Path, name: str) -> None:
    words, code = CALLS[name]
    done = call(folder, *words)
    answer = hold(json.loads(done.stdout))
    assert answer["schema"] == f"tflrepair/{words[0]}/2"
    assert (done.returncode, answer["exit_code"], answer["ok"]) == (code, code, not code)
    assert answer["results"] or answer["errors"]


@pytest.mark.parametrize("name", ERRORS)
def test_every_kind_of_error(folder: Path, name: str) -> None:
    words, code = ERRORS[name]
    done = call(folder, *words)
    answer = hold(json.loads(done.stdout))
    assert (done.returncode, answer["ok"], answer["results"]) == (2, False, [])
    assert [row["code"] for row in answer["errors"]] == [code]
    assert done.stderr.startswith(("tflrepair: ", "Usage: "))


def test_every_command_has_a_call() -> None:
    called = {words[0] for words, _ in CALLS.values()} | {w[0] for w, _ in ERRORS.values()}
    assert set(RESULTS) - {"error"} <= called
    assert {path.stem for path in SCHEMAS.glob("*-2.json")} == {f"{name}-2" for name in RESULTS}


def test_all_variables_and_the_real_name(folder: Path) -> None:
    name = "it's broken.tflite"
    shutil.copy(folder / "broken.tflite", folder / name)
    answer = json.loads(call(folder, "scan", name).stdout)
    (found,) = answer["results"]
    first = next(row for row in found["findings"] if row["code"] == "TFR001")
    unset = [v["shared_name"] for v in found["variables"] if v["status"] == "uninitialized"]
    assert first["variables"] == unset and len(unset) > 3
    assert "'it'\"'\"'s broken.tflite'" in first["hint"] and "MODEL" not in first["hint"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals(folder: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tflrepair", "demo", "--format", "json"]
    process = subprocess.Popen(command, cwd=folder, stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    try:
        _wait_for_a_child(process.pid)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    answer = hold(json.loads(output))
    assert process.returncode == answer["exit_code"] == 128 + number
    assert answer["errors"][0]["code"] == "interrupted"


def _wait_for_a_child(pid: int) -> None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(600):
        if children.read_text().split():
            return
        time.sleep(0.1)
    pytest.fail("no child was started")


@pytest.mark.parametrize("words", [words for words, _ in CALLS.values() if words[0] != "demo"])
def test_full_disks_and_closed_streams(folder: Path, words: tuple[str, ...]) -> None:
    force = ("--force",) if words[0] in ("scan", "extract", "fix", "add-state") else ()
    command = [*words, *force, "--format", "json"]
    full = warm.command_line(*command, cwd=folder, stdout="/dev/full")
    assert full.returncode == 2 and "cannot be written" in full.stderr
    closed = partial(os.close, 1)
    command = [sys.executable, "-m", "tflrepair", *command]
    done = subprocess.run(command, cwd=folder, stderr=-1, check=False, preexec_fn=closed)
    assert done.returncode == 2 and b"standard output is closed" in done.stderr


def test_nothing_but_one_object(folder: Path) -> None:
    """A note of a file that was written goes to stderr."""
    done = call(folder, "scan", "healthy.tflite", "--html", "other.html")
    json.loads(done.stdout)
    assert "other.html" in done.stderr and (folder / "other.html").exists()


def test_quiet_says_nothing(folder: Path) -> None:
    done = warm.command_line("scan", "-q", "broken.tflite", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_train(folder: Path) -> None:
    fixed = ("fix", "broken.tflite", *WEIGHTS, *RATE, "-o", "to-train.tflite")
    assert call(folder, *fixed).returncode == 0
    done = call(folder, "train", "to-train.tflite", "--data", "training.npz", "--steps", "20")
    answer = hold(json.loads(done.stdout))
    assert answer["schema"] == "tflrepair/train/2" and len(answer["results"][0]["losses"]) == 20


@pytest.mark.tf
def test_rebuild_and_convert(folder: Path) -> None:
    given = ("rebuild", "broken.tflite", *WEIGHTS, *RATE)
    done = call(folder, *given, "--emit-python", "module.py", kind="tensorflow")
    assert hold(json.loads(done.stdout))["results"][0]["python"] == "module.py"
    done = call(folder, *given, "--no-flex", "-o", "rebuilt.tflite", kind="tensorflow")
    assert hold(json.loads(done.stdout))["results"][0]["out"] == "rebuilt.tflite"
    (folder / "plain.py").write_text(
        "import tensorflow as tf\n"
        "class Plain(tf.Module):\n"
        "    def __init__(self):\n"
        "        self.w = tf.Variable([2.0])\n"
        "    @tf.function(input_signature=[tf.TensorSpec([1], tf.float32)])\n"
        "    def infer(self, x):\n"
        "        return {'y': x * self.w}\n"
    )
    done = call(folder, "convert", "plain.py:Plain", "-o", "plain.tflite", kind="tensorflow")
    answer = hold(json.loads(done.stdout))
    assert answer["results"][0]["size"] == (folder / "plain.tflite").stat().st_size
