"""Imports go one way at every level, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "tflrepair"

# Lowest first. A room may import from itself and from those above it in this list; rooms in one
# line do not know each other. "" is the package itself.
ROOMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (
        ("errors", "wording"),
        ("findings", "leftovers", "notebook", "opening", "processes", "progress", "samples"),
        ("files", "sources"),
        ("format",),
        ("structure",),
        ("graph",),
        ("views", "containers"),
        ("analysis",),
        ("checks",),
        ("weights", "rewrite", "execution"),
        ("passes", "tensorflow", "parts", "tracing", "targets"),
        ("rebuild",),
        ("commands",),
        ("report",),
        ("cli", "audit"),
    ),
    "structure": (
        ("fault", "words"),
        ("vtables",),
        ("rows",),
        ("report",),
        ("references",),
        ("walk",),
        ("subject",),
        ("rules",),
        ("verify",),
        ("salvage",),
    ),
    "structure.rules": (("encoding", "model", "tensors"), ("registry",)),
    "checks": (
        ("base",),
        (
            "variables",
            "tables",
            "checkpoints",
            "constants",
            "operators",
            "signatures",
            "third_party",
        ),
        ("registry",),
    ),
    "weights": (
        ("types",),
        ("native",),
        ("model_facts", "constants"),
        ("readers", "optimizers", "evidence"),
        ("starts",),
        ("matching",),
    ),
    "passes": (("graft", "add_state", "compact"), ("freeze",), ("fold",)),
    "rebuild": (
        ("requests",),
        ("ops",),
        ("ir",),
        ("run",),
        ("emit", "origins"),
        ("rebuild_pass",),
        ("lower",),
    ),
    "rebuild.lower": (
        ("registry",),
        ("images",),
        ("tensors",),
        ("trace",),
        ("choose",),
        ("module",),
        ("convert", "nearness", "reference"),
        ("agreement",),
        ("lower_pass",),
    ),
    "commands": (
        (
            "scan",
            "scan_saved_model",
            "verify",
            "show",
            "diff",
            "extract",
            "messages",
            "train_result",
        ),
        ("explain",),
        ("fix", "convert_without_flex"),
        ("convert", "emit_python", "add_state", "state", "train"),
    ),
    "report": (
        ("width",),
        ("style",),
        ("layout", "hints"),
        ("contract",),
        (
            "scan_json",
            "scan_text",
            "show",
            "runs",
            "extract_text",
            "target_text",
            "match_text",
            "fix_hints",
        ),
        ("damage", "fix_json", "fix_text", "diff", "saved_model_text"),
        ("export",),
    ),
    "cli": (
        ("mode", "signals", "streams"),
        ("temporary",),
        ("output",),
        ("groups", "loudness", "options", "again", "scan_writers"),
        ("scan_jobs",),
        ("commands",),
    ),
}
MODULE = re.compile(r"tflrepair(\.\w+)+")
HEAVY = (
    "numpy", "h5py", "tensorflow", "keras", "ai_edge_litert", "flatbuffers", "rich.progress",
    "_hashlib",
)  # fmt: skip
MOST_LINES = 300
MOST_FILES = 14


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imported(module: str) -> frozenset[str]:
    """Modules that ``module`` names, in import statements anywhere and in strings."""
    names = set[str]()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and MODULE.fullmatch(str(node.value)):
            names.add(str(node.value))  # handed to a worker, say
    return frozenset(filter(None, map(known, names))) - {module}


def known(name: str) -> str | None:
    """The module that a dotted name is, or is in; None for other packages."""
    while name.startswith("tflrepair.") and name not in MODULES:
        name = name.rpartition(".")[0]
    return name if name.startswith("tflrepair.") else None


def ranks(room: str) -> dict[str, int]:
    return {name: rank for rank, names in enumerate(ROOMS[room]) for name in names}


def inside(module: str, room: str) -> str | None:
    """The part of ``room`` that a module belongs to; None if it is not in there."""
    prefix = f"tflrepair.{room}." if room else "tflrepair."
    return module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) else None


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_down(room: str) -> None:
    rank = ranks(room)
    parts = {part for module in MODULES if (part := inside(module, room))}
    assert parts - {"__main__"} == set(rank), f"the rooms of {room or 'tflrepair'}"
    for module in MODULES:
        own = inside(module, room)
        if own is None or own == "__main__":
            continue
        for name in imported(module):
            other = inside(name, room)
            if other is not None and other != own:
                assert rank[other] < rank[own], f"{module} imports {name}"


def test_no_module_needs_itself() -> None:
    """Not even for types: a circle of imports cannot be understood a file at a time."""
    graph = {module: imported(module) for module in MODULES if module != "tflrepair"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_every_room_is_in_a_list() -> None:
    """A folder that has folders of its own is ordered inside, too."""
    for folder in PACKAGE.rglob("*"):
        room = ".".join(folder.relative_to(PACKAGE).parts)
        if folder.is_dir() and any((d / "__init__.py").exists() for d in folder.iterdir()):
            assert room in ROOMS, f"{room} has rooms, but no order"


@pytest.mark.parametrize("top", ["tflrepair", "tests", "benchmarks"])
def test_files_and_folders_stay_small(top: str) -> None:
    for path in (ROOT / top).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        generated = path.name in (
            "schema.py",
            "layout.py",
            "fields.py",
            "tables.py",
            "runtime_versions.py",
        )
        assert generated or lines <= MOST_LINES, f"{path} has {lines} lines"
    for folder in (ROOT / top).rglob("*/"):
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES + 3 * (top == "benchmarks"), (
            f"{folder} has {len(files)} files"
        )


@pytest.mark.runs
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
        "DiffResult", "Finding", "FixResult", "Model", "NoFlex", "Origin", "ScanResult",
        "StateResult", "TflRepairError", "TrainResult", "VerifyReport", "add_state", "convert",
        "diff", "explain", "extract_part", "extract_weights", "fix", "load", "load_state",
        "save_state", "scan", "show", "train", "verify",
    ]  # fmt: skip
    for name in tflrepair.__all__:
        assert getattr(tflrepair, name).__doc__
    with pytest.raises(AttributeError):
        tflrepair.nothing  # noqa: B018


def test_architecture_md_has_every_room_on_its_level() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    levels: dict[str, str] = {}
    for level, rooms in re.findall(r"^\| (\d+) \| ([^|]+) \|", text, re.M):
        levels |= dict.fromkeys(re.findall(r"`(\w+)(?:/|\.py)`", rooms), level)
    wanted = {room: str(n) for n, row in enumerate(ROOMS[""], 1) for room in row}
    assert levels == wanted
