"""Names in files that strangers made cannot command the terminal, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest
import warm
from build import Build

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
