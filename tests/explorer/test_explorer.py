"""Node data as Google's Model Explorer reads it, and its graphs as our ids expect them.

Run by `make test-explorer`, which makes an environment with ai-edge-model-explorer and names its
Python in TFLREPAIR_EXPLORER_PYTHON.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA, ROOT, TESTS

from tflrepair.commands.scan import scan
from tflrepair.report.export import model_explorer

pytestmark = pytest.mark.runs

PYTHON = os.environ["TFLREPAIR_EXPLORER_PYTHON"]
SAMPLE = ROOT / "tflrepair" / "samples" / "broken.tflite"


def _write(folder: Path, signed: bool, *names: str) -> Path:
    """Subgraphs of these names; each reads, at operator 2, a variable that nothing sets.

    Without signatures only the first can be run, so that nothing is said about the others.
    """
    build = Build()
    for number, name in enumerate(names):
        sub = build.sub(name, f"s{number}" if signed else None)
        x = sub.input()
        out = sub.tensor()
        sub.op("NEG", [x], [out], fb.NegOptionsT())
        sub.output(sub.read(sub.handle(f"v{number}")))
        sub.output(out)
    path = folder / "model.tflite"
    path.write_bytes(build.bytes())
    return path


def explored(model: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our node data, and what Model Explorer's package says about it."""
    ours = model_explorer.to_dict(scan(model))
    nodes = folder / "nodes.json"
    nodes.write_text(json.dumps(ours), encoding="utf-8")
    worker = str(TESTS / "explorer" / "explorer_worker.py")
    command = [PYTHON, worker, str(model), str(nodes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return ours, json.loads(done.stdout.splitlines()[-1])


def _ours_of(written: dict[str, Any]) -> dict[str, Any]:
    """Without the settings that the package adds: it writes them all, empty."""
    return {g: {k: d[k] for k in ("name", "results")} for g, d in written.items()}


@pytest.mark.parametrize("name", ["sample", "order", "partial", "twice", "flow", "table"])
def test_the_package_reads_it_and_finds_each_node(name: str, tmp_path: Path) -> None:
    path = SAMPLE if name == "sample" else DATA / f"{name}.tflite"
    ours, theirs = explored(path, tmp_path)
    assert _ours_of(theirs["written again"]) == ours
    model = scan(path).model
    ids = model_explorer.graph_ids(scan(path))
    assert set(ours) <= set(theirs["graphs"])
    for graph, data in ours.items():
        operators = model.subgraphs[ids.index(graph)].operators
        for node in data["results"]:
            assert theirs["graphs"][graph][node] == operators[int(node)].name.lower()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("names", [("a", "b", "c"), ("", "b", ""), ("a", "", "")])
def test_names_that_are_missing(names: tuple[str, ...], signed: bool, tmp_path: Path) -> None:
    path = _write(tmp_path, signed, *names)
    ours, theirs = explored(path, tmp_path)
    assert model_explorer.graph_ids(scan(path)) == list(theirs["graphs"])
    assert len(ours) == (len(names) if signed else 1)
    for graph, data in ours.items():
        labels = {theirs["graphs"][graph][node] for node in data["results"]}
        assert labels == {"var_handle", "read_variable"}


def test_subgraphs_of_one_name_are_one_to_it(tmp_path: Path) -> None:
    ours, theirs = explored(_write(tmp_path, True, "a", "a", "b"), tmp_path)
    assert list(ours) == list(theirs["graphs"]) == ["a", "b"]


def test_a_sound_model_has_nothing_to_mark(tmp_path: Path) -> None:
    ours, theirs = explored(DATA / "healthy.tflite", tmp_path)
    assert ours == theirs["written again"] == {}
    assert theirs["graphs"]
