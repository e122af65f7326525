"""Names in files that strangers made cannot command the terminal, whatever the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import warm
from build import Build
from conftest import ROOT

from tflrepair.report.style import harmless

EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[31mset\nok: nothing wrong\u202e\x9b1m\r"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Names that are commands, in every place where a name can be."""
    build = Build()
    reader = build.sub(EVIL + "reader", EVIL + "infer")
    reader.output(reader.read(reader.handle(EVIL + "w")))
    setter = build.sub(EVIL + "setter", EVIL + "set")
    value = setter.input()
    setter.assign(setter.handle(EVIL + "w"), value)
    out = setter.tensor()
    setter.op(EVIL + "Custom", [value], [out])
    setter.output(out)
    for graph in build.model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = EVIL
    path = tmp_path / "model.tflite"
    path.write_bytes(build.bytes())
    return path


@pytest.mark.runs
@pytest.mark.parametrize(
    "arguments",
    [
        ["scan"],
        ["fix", "--dry-run"],
        ["fix", "--set", EVIL + "w=1"],
        ["verify"],
        ["verify", "--signature", EVIL],
    ],
    ids=lambda arguments: " ".join(arguments)[:20],
)
def test_no_command_reaches_the_terminal(model: Path, arguments: list[str]) -> None:
    kind = "tensorflow" if arguments == ["verify"] else "light"  # it runs tf.lite, too
    done = warm.command_line(arguments[0], str(model), *arguments[1:], kind=kind)
    text = done.stdout + done.stderr
    assert "set" in text or "infer" in text
    assert not [char for char in text if not (char.isprintable() or char == "\n")]
    assert not [line for line in text.splitlines() if line.startswith("ok: nothing wrong")]


def test_the_gate_lets_our_colours_through_and_nothing_else() -> None:
    text = "\x1b[1;31merror\x1b[0m \x1b]0;x\x07\x1b[2J\n\tb"
    assert harmless(text) == r"\x1b[1;31merror\x1b[0m \x1b]0;x\x07\x1b[2J" + "\n" + r"\tb"
    assert harmless(text, colour=True) == (
        "\x1b[1;31merror\x1b[0m" + r" \x1b]0;x\x07\x1b[2J" + "\n" + r"\tb"
    )


@pytest.mark.runs
def test_no_words_at_all_are_answered_with_the_help() -> None:
    done = subprocess.run([sys.executable, "-m", "tflrepair"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage:" in done.stdout + done.stderr and "Traceback" not in done.stderr


@pytest.mark.runs
@pytest.mark.parametrize(
    ("words", "wanted"),
    [(["sc"], ["scan"]), (["fix", "--stra"], ["--strategy"]), (["ex"], ["explain", "extract"])],
)
def test_bash_completes(tmp_path: Path, words: list[str], wanted: list[str]) -> None:
    """The function that `--show-completion` prints in bash, called as bash does at a tab."""
    program = tmp_path / "tflrepair"
    entry = "from tflrepair.__main__ import main"
    program.write_text(f"#!{sys.executable}\n{entry}\n\nmain()\n")
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SHELL": "/bin/bash"}
    env["PYTHONPATH"] = str(ROOT)
    asked = {**env, "_TFLREPAIR_COMPLETE": "source_bash"}  # it would look which shell called it
    shown = subprocess.run([program], env=asked, capture_output=True, text=True)
    line = " ".join(["tflrepair", *words])
    script = (
        f"{shown.stdout}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
        'name=$(complete -p tflrepair | sed "s/.*-F \\([^ ]*\\).*/\\1/")\n'
        "$name tflrepair; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert sorted(done.stdout.split()) == wanted, shown.stdout + done.stderr


@pytest.mark.runs
def test_the_list_of_commands_is_whole_on_80_columns() -> None:
    done = warm.command_line("--help")
    lines = done.stdout.partition("Commands:")[2].splitlines()
    assert len([line for line in lines if line.startswith("  ")]) > 12
    assert not any(line.endswith("...") for line in lines) and max(map(len, lines)) <= 80


@pytest.mark.runs
@pytest.mark.parametrize("words", [["-q", "scan"], ["--format", "json", "scan"]])
def test_an_option_before_the_command_is_told_where_it_stands(words: list[str]) -> None:
    done = warm.command_line(*words, "model.tflite")
    assert done.returncode == 2
    assert f"No such option: {words[0]} before the command" in done.stderr


@pytest.mark.runs
@pytest.mark.parametrize("command", ["scan", "verify"])
def test_verbose_tells_short_steps(command: str) -> None:
    sample = str(ROOT / "tflrepair" / "samples" / "broken.tflite")
    done = warm.command_line(command, "-v", sample)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].endswith(f"ing {sample}")
    assert warm.command_line(command, sample).stderr == ""
