"""Imports go one way, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from conftest import ROOT

PACKAGE = ROOT / "tflrepair"

# Lowest first. A module may import from its own layer and from those above it in this list.
LAYERS = (
    ("errors",),
    ("opening", "leftovers", "processes"),
    ("files", "samples"),
    ("format",),
    ("graph",),
    ("model", "resources"),
    ("flow", "initial"),
    ("variables",),
    ("checkpoints",),
    ("checks",),
    ("scanning",),
    ("weights",),
    ("runtime",),
    ("repair",),
    ("planning",),
    ("deciding",),
    ("converting", "fixing", "rebuilding", "verifying"),
    ("report",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULE = re.compile(r"tflrepair(\.\w+)+")
HEAVY = ("numpy", "h5py", "tensorflow", "keras", "ai_edge_litert", "flatbuffers", "rich.progress")


def modules() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def imported(module: str) -> set[str]:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tflrepair"):
            base = str(node.module)
            names.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names if alias.name.startswith("tflrepair"))
        elif isinstance(node, ast.Constant) and MODULE.fullmatch(str(node.value)):
            names.add(node.value)  # handed to a worker, say
    return names


def layer(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@pytest.mark.parametrize("module", modules())
def test_imports_go_down(module: str) -> None:
    own = layer(module)
    if own == "__init__":
        return  # the package itself names the public API
    assert own in RANK, f"{own} has no place in the layers"
    for name in imported(module):
        other = layer(name)
        if other == "__init__" or other not in RANK:
            continue  # tflrepair.__version__, tflrepair.fix
        assert RANK[other] <= RANK[own], f"{module} imports {name}"


@pytest.mark.parametrize(
    "command", [["--version"], ["explain", "TFR001"], ["scan", "tflrepair/samples/broken.tflite"]]
)
def test_start_up_stays_light(command: list[str]) -> None:
    code = (
        "import sys; from tflrepair.cli import app\n"
        f"try: app({command!r})\n"
        "except SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_public_names() -> None:
    import tflrepair

    assert tflrepair.__all__ == [
        "Finding", "FixResult", "Model", "ScanResult", "TflRepairError", "VerifyReport",
        "convert", "fix", "load", "scan", "verify",
    ]  # fmt: skip
    for name in tflrepair.__all__:
        assert getattr(tflrepair, name).__doc__
    with pytest.raises(AttributeError):
        tflrepair.nothing  # noqa: B018
