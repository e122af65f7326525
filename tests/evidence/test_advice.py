"""Each text that tells what to do is followed as it is printed, and works.

All such texts stand in ``REMEDIES``. A text that no test follows fails here, and so does a hint
that is written beside them. Those that need a runtime are in test_advice_running.py.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from following import FOLLOWED, follows, say, told
from weights.cases import DATA

import tflrepair
from tflrepair import weights
from tflrepair.errors import UserError
from tflrepair.weights import Target
from tflrepair.weights.matching import given
from tflrepair.weights.types.acceptable import ACCEPTABLE
from tflrepair.weights.types.remedies import REMEDIES

for module in ("test_accepting", "test_advice_running"):  # whose tests follow some of them
    import_module(module)
ROOT = Path(tflrepair.__file__).parent
PARALLEL, ROW = DATA / "parallel", DATA / "row"
DRY = f"tflrepair fix {PARALLEL / 'model.tflite'} --dry-run"
# advice that tests beside this one follow: text -> test
ELSEWHERE = {
    "check": "tests/evidence/test_evidence.py::test_the_advice_works",
    "then-check": "tests/evidence/test_evidence.py::test_the_advice_works",
    "or-map": "tests/evidence/test_evidence.py::test_the_map_of_a_refusal_lists_what_each_variable_"
    "can_be",
    "map-out": "tests/evidence/test_evidence.py::test_the_map_of_a_refusal_lists_what_each_"
    "variable_can_be",
    "prove": "tests/evidence/test_evidence.py::test_what_is_not_proven_is_said_and_never_passes_as_"
    "sound",
    "keras-file": "tests/evidence/test_evidence.py::test_what_another_program_leaves_alike_is_not_"
    "proven_until_it_runs",
    "fix-first": "tests/evidence/test_rebuilding.py::test_options_that_only_fix_has_are_used_first",
    "rate": "tests/weights/starts/test_starts.py::test_a_learning_rate_is_asked_for_with_the_whole_"
    "command",
    "any-rate": "tests/weights/starts/test_starts.py::test_a_learning_rate_is_asked_for_with_the_"
    "whole_command",
    "paste": "tests/weights/starts/test_starts.py::test_a_learning_rate_is_asked_for_with_the_"
    "whole_command",
    "set": "tests/weights/starts/test_states.py::test_state_that_shows_no_start_is_asked_for",
    "other-value": "tests/weights/starts/test_starts.py::test_an_optimizer_of_a_name_of_its_own_is_"
    "asked_for",
    "set-copy": "tests/weights/starts/test_starts.py::test_a_copy_can_be_asked_for",
    "if-not-so": "tests/weights/starts/test_starts.py::test_the_option_that_is_named_decides",
}


def test_every_text_is_followed() -> None:
    assert not FOLLOWED.keys() & ELSEWHERE.keys()
    assert {*FOLLOWED, *ELSEWHERE} == set(REMEDIES)
    for place in ELSEWHERE.values():
        path, _, name = place.partition("::")
        tree = ast.parse((ROOT.parent / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


MATCHING = [
    path
    for folder in ("weights", "commands/fix")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not {"readers", "native"} & set(path.parts)
]
# hints that are not about what a weight is
OTHER = {"give one of the two", "say with out=... where to write", "choose from "}
OTHER |= {"nothing was written; please report this model", "say where to: -o "}


@pytest.mark.parametrize("path", MATCHING, ids=lambda path: path.stem)
def test_no_hint_is_written_beside_them(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert set(_literals(tree)) <= OTHER
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id != "remedy" or not isinstance(node.args[0], ast.Constant):
                continue
            assert node.args[0].value in REMEDIES


def _literals(tree: ast.AST) -> Iterator[str]:
    """Strings in what becomes a hint, but for names of remedies and joining commas."""
    for node in ast.walk(tree):
        hints: list[ast.AST] = []
        if isinstance(node, ast.Call):
            hints = [k.value for k in node.keywords if k.arg == "hint"]
            if isinstance(node.func, ast.Name) and node.func.id == "Problem":
                hints += node.args[4:5]
        elif isinstance(node, ast.Assign | ast.AugAssign):
            names = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(n, ast.Name) and n.id.lower().endswith("hint") for n in names):
                hints = [node.value]
        elif isinstance(node, ast.FunctionDef) and node.name.endswith("hint"):
            hints = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
        for hint in hints:
            yield from _strings(hint)


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and not (
        isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    ):
        return  # remedy(...), ", ".join(...)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _strings(child)


def arrays(case: Path = PARALLEL) -> dict[str, np.ndarray]:
    return dict(np.load(case / "by_path.npz"))


def saved(path: Path, values: dict[str, np.ndarray]) -> Path:
    np.savez(path, **values)  # type: ignore[arg-type]
    return path


@follows("weights")
def test_a_file_of_weights() -> None:
    code, text = say(DRY)
    told(text, "weights")
    command = next(line for line in text.splitlines() if line.startswith("  tflrepair fix"))
    assert code == 2 and command.endswith("--weights FILE")
    file = str(PARALLEL / "by_path.npz")
    assert say(f"{command.replace('FILE', file)} --dry-run")[0] == 0


@follows("map")
def test_a_map(tmp_path: Path) -> None:
    strangers = saved(
        tmp_path / "odd.npz", {f"array {n}": a for n, a in enumerate(arrays().values())}
    )
    code, text = say(f"{DRY} -w {strangers}")
    assert code == 2
    told(text, "map")
    chosen = {name: f"array {n}" for n, name in enumerate(arrays())}
    (tmp_path / "map.json").write_text(json.dumps(chosen))
    assert say(f"{DRY} -w {strangers} --map {tmp_path / 'map.json'}")[0] == 0


@follows("by-name", "or-map-object")
def test_names_or_a_map(tmp_path: Path) -> None:
    """Three of four layers are mapped; for the last there is one of its name, and another one."""
    values, path = arrays(ROW), tmp_path / "map.json"
    dense = {n: a for n, a in values.items() if n.startswith("dense")}
    mapped = {n: n.replace("dense_", "layer") for n in dense if not n.startswith("dense_11/")}
    beside = {n.replace("_11/", "_30/"): a + 1 for n, a in dense.items() if n not in mapped}
    file = saved(tmp_path / "dense.npz", {mapped.get(n, n): a for n, a in dense.items()} | beside)
    rest = saved(tmp_path / "rest.npz", {n: a for n, a in values.items() if n not in dense})
    path.write_text(json.dumps(mapped))
    dry = f"tflrepair fix {ROW / 'model.tflite'} --dry-run --map {path} -w {file}"
    code, text = say(dry)
    assert code == 2
    told(text, "by-name")
    told(text, "or-map-object")
    _, text = say(f"{dry} --by-name")
    assert "could be" not in text  # what is left is in no file
    assert say(f"{dry} --by-name -w {rest}")[0] == 0
    path.write_text(json.dumps(mapped | {n: n for n in dense if n not in mapped}))
    assert say(f"{dry} -w {rest}")[0] == 0


@follows("array-of-the-other")
def test_a_copy_of_what_it_is_not_named_after(tmp_path: Path) -> None:
    dry = f"{DRY} -w {PARALLEL / 'by_path.npz'}"
    code, text = say(f"{dry} --set dense_7/kernel=copy")
    assert code == 2
    told(text, "array-of-the-other")
    (tmp_path / "map.json").write_text(json.dumps({"dense_7/kernel": "dense_8/kernel"}))
    assert say(f"{dry} --map {tmp_path / 'map.json'}")[0] == 0


@follows("values-in-a-file")
def test_a_number_for_too_large_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "LARGEST_FILL", 16)
    code, text = say(f"{DRY} --set dense_7/kernel=1")
    assert code == 2
    told(text, "values-in-a-file")
    assert say(f"{DRY} -w {PARALLEL / 'by_path.npz'}")[0] == 0


@follows("one-of-the-files")
def test_an_array_that_two_files_have(tmp_path: Path) -> None:
    again = saved(tmp_path / "again.npz", arrays())
    (tmp_path / "map.json").write_text(json.dumps({"dense_7/kernel": "dense_7/kernel"}))
    command = f"{DRY} -w {PARALLEL / 'by_path.npz'} -w {again} --map {tmp_path / 'map.json'}"
    code, text = say(command)
    assert code == 2
    for path in told(text, "one-of-the-files")["paths"].split(", "):
        (tmp_path / "map.json").write_text(json.dumps({"dense_7/kernel": path}))
        assert say(command)[0] == 0


@follows("near", "names-of-a-scan")
def test_names_of_variables(sample: Path) -> None:
    model, file = sample / "broken.tflite", sample / "classifier.weights.h5"
    dry = f"tflrepair fix {model} --dry-run -w {file}"
    _, text = say(f"{dry} --set adam/learning_rat=1")
    assert say(f"{dry} --set {told(text, 'near')['names'].split(', ')[0]}=1")[0] == 0
    _, text = say(f"{dry} --set zzzzz=1")
    told(text, "names-of-a-scan")
    _, listed = say(f"tflrepair scan {model} --all")
    assert "adam/learning_rate" in listed
    assert say(f"{dry} --set adam/learning_rate=1")[0] == 0


@follows("names-of-a-dry-run")
def test_names_of_arrays(tmp_path: Path) -> None:
    dry, path = f"{DRY} -w {PARALLEL / 'by_path.npz'}", tmp_path / "map.json"
    path.write_text(json.dumps({"dense_7/kernel": "zzzzz"}))
    code, text = say(f"{dry} --map {path}")
    assert code == 2
    told(text, "names-of-a-dry-run")
    _, shown = say(f"{dry} --all")
    assert "dense_7/kernel" in shown
    path.write_text(json.dumps({"dense_7/kernel": "dense_7/kernel"}))
    assert say(f"{dry} --map {path}")[0] == 0


@follows("set-one")
def test_copies_of_each_other() -> None:
    names = ("one/c/kernel", "two/c/kernel")
    pairs = zip(names, reversed(names), strict=True)
    targets = [Target("", name, "float32", (4, 4), follows=other) for name, other in pairs]
    copies: dict[str, str | float] = dict.fromkeys(names, "copy")
    (problem,) = weights.match(targets, [], sets=copies).problems
    name, value = told(problem.hint, "set-one")["option"].removeprefix("--set ").split("=")
    assert value == "VALUE"
    table = weights.match(targets, [], sets={**copies, name: 1.0})
    assert not table.problems
    assert all((row.value() == 1).all() for row in table.rows)


@follows("variance")
def test_a_negative_variance(tmp_path: Path) -> None:
    dry, path = f"tflrepair fix {ROW / 'model.tflite'} --dry-run", tmp_path / "map.json"
    values = {f"saved/{n}": -a if "8/moving_variance" in n else a for n, a in arrays(ROW).items()}
    file = saved(tmp_path / "weights.npz", {**values, "right": np.ones(8, "float32")})
    code, text = say(f"{dry} -w {file}")
    assert code == 2
    told(text, "variance")
    name = "batch_normalization_8/moving_variance"
    size = values[f"saved/{name}"].shape
    file = saved(tmp_path / "weights.npz", {**values, "right": np.ones(size, "float32")})
    for array in ("right", f"saved/{name}"):  # the right array; or this one, if it is right
        path.write_text(json.dumps({name: array}))
        assert say(f"{dry} -w {file} --map {path}")[0] == 0


@follows("rounding", "narrow")
@pytest.mark.parametrize(("name", "factor"), [("rounding", 1 + 1e-12), ("narrow", 1e300)])
def test_arrays_of_more_precision(tmp_path: Path, name: str, factor: float) -> None:
    wide = {n: a.astype("float64") * factor for n, a in arrays().items()}
    file = saved(tmp_path / "wide.npz", wide)
    code, text = say(f"{DRY} -w {file}")
    assert code == 2
    told(text, name)
    other = f"-w {file} --allow-rounding" if name == "rounding" else f"-w {PARALLEL}/by_path.npz"
    assert say(f"{DRY} {other}")[0] == 0


@follows("acceptable")
def test_names_of_doubts() -> None:
    dry = f"{DRY} -w {PARALLEL / 'by_path.npz'}"
    code, text = say(f"{dry} --accept everything")
    assert code == 2
    names = told(text, "acceptable")["names"].split(", ")
    assert names == list(ACCEPTABLE)
    for name in names:
        assert say(f"{dry} --accept {name}")[0] == 0


def test_a_text_with_a_place_that_is_not_filled() -> None:
    with pytest.raises(UserError, match="there is no such doubt"):
        tflrepair.fix(PARALLEL / "model.tflite", accept=["x"])
    with pytest.raises(KeyError):
        REMEDIES["near"].format()
