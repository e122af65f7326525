"""Child processes: sequences in one interpreter, and whatever kills a child."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build

from tflrepair.errors import UnsupportedError, UserError
from tflrepair.execution import runner, runtimes
from tflrepair.execution.runner import RunCall, Task, run
from tflrepair.execution.runtimes import Runtime, tuned

pytestmark = pytest.mark.runs

X = np.array([[1, 2, 3, 4]], np.float32)
Y = np.array([[1, 0, 0]], np.float32)
INFER = RunCall("infer", {"x": X})
DIE = RunCall("infer", {"in0": X})
TRAIN = RunCall("train", {"x": X, "y": Y})


@pytest.fixture(scope="module")
def litert() -> Runtime:
    pytest.importorskip("ai_edge_litert", reason="runs models")
    return runtimes.find(["litert"])[0]


@pytest.fixture
def deadly(tmp_path: Path) -> Path:
    """XNNPACK reads through a null pointer where both inputs are one read of a variable."""
    build = Build()
    main = build.sub("main", "infer")
    x, out = main.input(shape=(1, 4)), main.tensor()
    main.call_once(1)
    read = main.read(main.handle("v"))
    main.op("ADD", [read, read], [out], fb.AddOptionsT())
    main.output(out)
    main.output(x)
    start = build.sub("start")
    start.assign(start.handle("v"), start.tensor(data=bytes(8)))
    path = tmp_path / "deadly.tflite"
    path.write_bytes(build.bytes())
    return path


def test_one_interpreter_keeps_what_it_trained(data: Path, litert: Runtime) -> None:
    model = str(data / "healthy.tflite")
    (alone,), (_, after) = run(litert, [Task(model, (INFER,)), Task(model, (TRAIN, INFER))])
    assert alone.status == after.status == runner.OutcomeStatus.OK
    assert not np.allclose(alone.outputs["output"], after.outputs["output"])


def test_infer_equals_plain_arithmetic(data: Path, litert: Runtime) -> None:
    rng = np.random.default_rng(7)  # as the fixture's maker draws them
    w, b = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (3,))
    ((outcome,),) = run(litert, [Task(str(data / "healthy.tflite"), (INFER,))])
    np.testing.assert_allclose(outcome.outputs["output"], X @ w + b, rtol=1e-5)


def test_error_ends_its_task_only(data: Path, litert: Runtime) -> None:
    bad = RunCall("infer", {"x": X, "z": X})
    model = str(data / "healthy.tflite")
    first, second = run(litert, [Task(model, (bad, INFER)), Task(model, (INFER,))])
    assert [o.status for o in first] == [runner.OutcomeStatus.ERROR, runner.OutcomeStatus.SKIPPED]
    assert "inputs" in first[0].text
    assert second[0].status == runner.OutcomeStatus.OK


def test_unset_variable_is_an_error_without_delegate(data: Path, litert: Runtime) -> None:
    task = Task(str(data / "partial.tflite"), (INFER,), delegate=False)
    ((outcome,),) = run(litert, [task])
    assert outcome.status == runner.OutcomeStatus.ERROR
    assert "read_variable.cc" in outcome.text


def test_dirty_memory_shows_unset_variables(data: Path, litert: Runtime) -> None:
    if sys.platform != "linux":
        pytest.skip("glibc fills memory")
    task = Task(str(data / "partial.tflite"), (INFER,))
    ((outcome,),) = run(litert, [task], dirty=True)
    assert not (np.abs(outcome.outputs["output"]) < 1e30).any()


def test_large_memory_is_dirty_too(tmp_path: Path, litert: Runtime) -> None:
    """It comes in pages of another size."""
    if sys.platform != "linux":
        pytest.skip("glibc fills memory")
    build = Build()
    sub = build.sub("infer", "infer")
    sub.output(sub.read(sub.handle("w"), (1 << 20,)))
    path = tmp_path / "large.tflite"
    path.write_bytes(build.bytes())
    ((outcome,),) = run(litert, [Task(str(path), (RunCall("infer", {}),))], dirty=True)
    (output,) = outcome.outputs.values()
    assert not (np.abs(output) < 1e30).any()


def test_settings_of_glibc_are_kept() -> None:
    one = tuned({"A": "b"}, "glibc.malloc.arena_max=1")
    assert one == {"A": "b", "GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}
    both = "glibc.malloc.arena_max=1:glibc.malloc.hugetlb=1"
    assert tuned(one, "glibc.malloc.hugetlb=1") == {"A": "b", "GLIBC_TUNABLES": both}


@pytest.mark.usefixtures("cold")
def test_death_costs_one_task(data: Path, deadly: Path, litert: Runtime) -> None:
    good = Task(str(data / "healthy.tflite"), (INFER,))
    bad = Task(str(deadly), (DIE, DIE))
    outcomes = run(litert, [good, bad, good, bad, good])
    assert [row[0].status for row in outcomes] == ["ok", "crashed", "ok", "crashed", "ok"]
    assert outcomes[1][1].status == runner.OutcomeStatus.SKIPPED
    assert "SIG" in outcomes[1][0].text


@pytest.mark.parametrize("keep", [0, 8, 100, 1000, 3000])
def test_truncated_file_is_an_outcome(
    data: Path, tmp_path: Path, litert: Runtime, keep: int
) -> None:
    path = tmp_path / "short.tflite"
    path.write_bytes((data / "healthy.tflite").read_bytes()[:keep])
    ((outcome,),) = run(litert, [Task(str(path), (INFER,))])
    assert outcome.status in (runner.OutcomeStatus.ERROR, runner.OutcomeStatus.CRASHED)
    assert outcome.text


def test_missing_file_is_an_error(tmp_path: Path, litert: Runtime) -> None:
    ((outcome,),) = run(litert, [Task(str(tmp_path / "none.tflite"), (INFER,))])
    assert outcome.status == runner.OutcomeStatus.ERROR


@pytest.mark.usefixtures("cold")
def test_runtime_that_does_not_import_is_unavailable(data: Path, tmp_path: Path) -> None:
    """A package by that name without an interpreter, as a half-finished install leaves it."""
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "interpreter.py").write_text("raise ImportError('GLIBC_2.99 not found')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        runtime = Runtime("litert", "9", sys.executable)
        ((outcome,),) = run(runtime, [Task(str(data / "healthy.tflite"), (INFER,))])
    assert outcome.status == runner.OutcomeStatus.UNAVAILABLE
    assert "GLIBC_2.99" in outcome.text


def test_python_that_does_not_start() -> None:
    runtime = Runtime("litert", "", "/no/such/python")
    ((outcome,),) = run(runtime, [Task("x.tflite", (INFER,))])
    assert outcome.status == runner.OutcomeStatus.CRASHED
    assert "cannot be started" in outcome.text


def test_nothing_is_left_behind(
    data: Path, tmp_path: Path, litert: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(litert, [Task(str(data / "healthy.tflite"), (INFER,))])
    assert list(tmp_path.iterdir()) == []


def test_find_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no runtime 'onnx'"):
        runtimes.find(["onnx"])
    with pytest.raises(UserError, match="does not run"):
        runtimes.find(python=str(tmp_path / "python"))
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexit 0\n")
    silent.chmod(0o755)
    if os.name == "posix":
        with pytest.raises(UserError, match="does not run"):
            runtimes.find(python=str(silent))


def test_bare_python_has_no_runtime() -> None:
    """-S and -I leave the standard library only: what a fresh interpreter without packages has."""
    bare = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    if not bare.exists() or sys.prefix == sys.base_prefix:
        pytest.skip("needs a virtual environment over a plain Python")
    with pytest.raises(UnsupportedError, match="no runtime is installed") as none:
        runtimes.find(python=str(bare))
    assert str(none.value.hint).endswith("-m pip install ai-edge-litert")
    with pytest.raises(UnsupportedError, match=r"tf\.lite is not installed") as lacking:
        runtimes.find(["tf.lite"], python=str(bare))
    assert str(lacking.value.hint).endswith("-m pip install tensorflow")


@pytest.mark.parametrize(("name", "extra"), [("litert", "run"), ("tf.lite", "tf")])
def test_a_runtime_that_is_missing_here_has_its_extra(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tflrepair.execution.worker.installed", dict)
    with pytest.raises(UnsupportedError, match="is not installed") as lacking:
        runtimes.find([name])
    assert lacking.value.hint == f"pip install 'tflrepair[{extra}]'"


def test_another_python_is_asked_and_used(data: Path, litert: Runtime) -> None:
    """This environment through its path, so without this process's sys.path."""
    found = runtimes.find(["litert"], python=litert.python)
    assert found == (litert,)


@pytest.mark.parametrize(
    ("name", "version", "flex"),
    [
        ("litert", "2.3.0", False),
        ("tf.lite", "2.18.1", True),
        ("tf.lite", "2.19.0", False),
        ("tf.lite", "2.21.0rc1", False),
        ("tf.lite", "", True),
    ],
)
def test_which_runtimes_may_have_flex(name: str, version: str, flex: bool) -> None:
    assert Runtime(name, version, "python").may_have_flex is flex


def test_worker_runs_anywhere() -> None:
    """Python 3.9 reads it, and it imports nothing of ours: other interpreters lack tflrepair."""
    tree = ast.parse(runtimes.WORKER.read_text(), feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.split(".")[0] for name in names} <= {*sys.stdlib_module_names, "numpy"}


def test_all_calls_together_have_a_limit(
    data: Path, litert: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of signatures that each compute for a while are not waited for."""
    monkeypatch.setattr(runner, "_WHOLE", 1e-9)
    tasks = [Task(str(data / "healthy.tflite"), (INFER,)) for _ in range(3)]
    for (outcome,) in run(litert, tasks):
        assert outcome.status == runner.OutcomeStatus.TIMEOUT
        assert "all runs together computed for more than" in outcome.text


def test_deaths_have_a_limit(
    deadly: Path, litert: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_MOST_DEATHS", 2)
    outcomes = [o for (o,) in run(litert, [Task(str(deadly), (DIE,)) for _ in range(4)])]
    assert [o.status for o in outcomes] == [runner.OutcomeStatus.CRASHED] * 4
    assert "SIGSEGV" in outcomes[1].text and "not run: 2 other runs" in outcomes[2].text
