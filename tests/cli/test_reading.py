"""What a person reads on a terminal of 80 columns: lines that fit, whatever the names; one is one.

Each command runs on a pseudo-terminal, as a user calls it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from build import Build, save_npz
from conftest import ROOT

from tflrepair.report.width import cells

pytestmark = pytest.mark.runs

LONG = (
    "model/very_deep_residual_attention_block_with_a_name_that_never_ends/"
    "sub_layer_normalization_and_projection/kernel_of_the_dense_layer"
)
CHINESE = "模型/分类头部网络/注意力机制模块/层归一化处理单元/全连接投影层/权重矩阵参数变量名称"
KEYS = (LONG, CHINESE)
NPZ = ("-w", "wide.npz", "-o", "wide-fixed.tflite", "--force")
WIDE = [
    ("scan", "wide.tflite"),
    ("scan", "wide.tflite", "const.tflite", "nothing.tflite", "--target", "tflm"),
    ("show", "wide.tflite"),
    ("show", "wide.tflite", "--op", "ADD"),
    ("show", "const.tflite", "--tensor", "#3", "--values"),
    ("diff", "wide.tflite", "const.tflite"),
    ("extract", "const.tflite", "-o", "x.npz", "--force"),
    ("extract", "const.tflite", "--signature", CHINESE, "-o", "p.tflite", "--force"),
    ("fix", "wide.tflite"),
    ("fix", "wide.tflite", *NPZ, "--dry-run", "--all"),
    ("fix", "wide.tflite", *NPZ),
    ("verify", "wide.tflite", "--runtime", "litert"),
    ("train", "wide.tflite", "--data", "wide.npz"),
    ("explain", "TFR001"),
    ("explain",),
    ("fix", "--help"),
]
ONE = [
    ("scan", "one.tflite"),
    ("show", "one.tflite"),
    ("show", "one.tflite", "--op", "ADD"),
    ("diff", "one.tflite", "const.tflite"),
    ("fix", "one.tflite"),
    ("fix", "one.tflite", "-w", "one.npz", "--dry-run"),
    ("fix", "one.tflite", "-w", "one.npz", "-o", "one-fixed.tflite", "--force", "--freeze"),
    ("verify", "one.tflite", "--runtime", "litert"),
    ("extract", "sound.tflite", "-o", "y.npz", "--force"),
    ("extract", "sound.tflite", "--signature", "infer", "-o", "q.tflite", "--force"),
    ("add-state", "sound.tflite", "-o", "state.tflite", "--force", "--state", "all"),
]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# ``1 of 22 variables has`` and ``--around 1 shows`` are right
SEVERAL = re.compile(
    r"(?<![\w.,#/-])1 (?:more |other |missing )?"
    r"(?:variables|operators|tensors|buffers|subgraphs|signatures|bytes|kinds|arrays|errors|"
    r"warnings|constants|faults|values|outputs|inputs|models|things|steps|loops|readings)\b"
)


def wide(constant: bool) -> bytes:
    """Names longer than a line, in two scripts, in every place where a name can be."""
    build = Build()
    for key in KEYS:
        sub = build.sub(key, key)
        x = sub.input()
        for number in range(3):
            data = np.ones(2, np.float32).tobytes() if constant else b""
            value = sub.tensor(data=data) if constant else sub.read(sub.handle(f"{key}/{number}"))
            total = sub.tensor()
            sub.op("ADD", [x, value], [total])
            x = total
        odd = sub.tensor()
        sub.op("Flex" + "Odd" * 12, [x], [odd])
        sub.output(x)
        sub.output(odd)
    for graph in build.model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            tensor.name = f"{KEYS[number % 2]};{LONG}/{number}"
    return build.bytes()


def one(sound: bool) -> bytes:
    """One variable, one signature, one input; ``sound``: with its value."""
    build = Build()
    sub = build.sub("main", "infer")
    if sound:
        sub.call_once(1)
    x, total = sub.input(), sub.tensor()
    sub.op("ADD", [x, sub.read(sub.handle("w"))], [total])
    sub.output(total)
    if sound:
        start = build.sub("start")
        start.assign(start.handle("w"), start.tensor(data=np.ones(2, np.float32).tobytes()))
    return build.bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reading")
    (place / "wide.tflite").write_bytes(wide(constant=False))
    (place / "const.tflite").write_bytes(wide(constant=True))
    (place / "one.tflite").write_bytes(one(sound=False))
    (place / "sound.tflite").write_bytes(one(sound=True))
    values = {f"{key}/{n}": np.ones(2, np.float32) for key in KEYS for n in range(3)}
    save_npz(place / "wide.npz", values)
    save_npz(place / "one.npz", {"w": np.ones(2, np.float32)})
    return place


def on_terminal(folder: Path, words: tuple[str, ...], **settings: str) -> str:
    """All that the terminal gets."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    env |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **settings}
    command = [sys.executable, "-m", "tflrepair", *words]
    child = subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    text = b""
    try:
        while data := os.read(ours, 1 << 16):
            text += data
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert child.wait() in (0, 1, 2)
    return text.decode().replace("\r\n", "\n")


def plain(text: str) -> list[str]:
    return [ESCAPES.sub("", line).split("\r")[-1] for line in text.split("\n")]


@pytest.mark.parametrize("words", WIDE, ids=lambda words: " ".join(words)[:30])
def test_no_line_is_wider_than_the_terminal(folder: Path, words: tuple[str, ...]) -> None:
    lines = plain(on_terminal(folder, words))
    assert len(lines) > 1 and not [line for line in lines if "Traceback" in line]
    wide_ones = [line for line in lines if cells(line) > 80]
    assert not [line for line in wide_ones if not line.strip().startswith("tflrepair ")]


@pytest.mark.parametrize("words", ONE, ids=lambda words: " ".join(words)[:40])
def test_one_is_one(folder: Path, words: tuple[str, ...]) -> None:
    text = "\n".join(plain(on_terminal(folder, words)))
    assert "1 " in text
    assert not SEVERAL.findall(text)


@pytest.mark.parametrize("words", [("scan", "one.tflite"), ("fix", "one.tflite"), ("explain",)])
def test_colour_only_where_it_is_wanted(folder: Path, words: tuple[str, ...]) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*m")
    assert (words[0] != "scan") or "error" in colour.split(on_terminal(folder, words))
    assert not colour.search(on_terminal(folder, words, NO_COLOR="1"))
    assert "\x1b" not in on_terminal(folder, words, TERM="dumb")


def test_what_fits_is_not_folded_twice(folder: Path) -> None:
    lines = plain(on_terminal(folder, ("scan", "one.tflite")))
    found = [line for line in lines if "XNNPACK" in line or "default of" in line]
    assert found[-1].startswith("  ") and len(found[-1]) > 60, lines
