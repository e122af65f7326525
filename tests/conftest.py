"""Fixtures: real files, made by TensorFlow once and cached, or shipped in tests/data."""

from __future__ import annotations

import ast
import contextlib
import gc
import hashlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import warm

import tflrepair
from tflrepair import FixResult
from tflrepair.processes import children
from tflrepair.weights.native import pool

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DATA = TESTS / "data"
CACHE = ROOT / ".cache" / "makers"

# What ignores a signal hands that on to its children: nohup SIGHUP, a shell's `&` Ctrl-C.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def tensorflow_version() -> str:
    """Of whichever wheel gives `import tensorflow`."""
    for wheel in ("tensorflow", "tensorflow-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(wheel)
    pytest.fail("this test is marked `tf` and needs TensorFlow: pip install 'tflrepair[tf]'")


def made(name: str, *parts: str) -> Path:
    """The folder that maker ``name`` filled, made now if its script or TensorFlow is new.

    ``parts`` are further scripts that it imports.
    """
    digest = hashlib.sha256(tensorflow_version().encode())
    for script in ("common", *parts, name):
        digest.update((TESTS / "makers" / f"{script}.py").read_bytes())
    folder = CACHE / f"{name}-{digest.hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone(CACHE / f"{name}.lock"):
        if not folder.exists():
            _make(name, folder)
    return folder


Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A folder by that name, filled by the first process of this run that asks for it."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def get(name: str, fill: Callable[[Path], None]) -> Path:
        folder = root / f"once-{name}"
        with _alone(root / f"once-{name}.lock"):
            if not folder.exists():
                unfinished = root / f"once-{name}.part"
                unfinished.mkdir(exist_ok=True)
                fill(unfinished)
                unfinished.rename(folder)
        return folder

    return get


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """No other test run makes the same thing meanwhile: it is used when it is there."""
    with lock.open("w") as stream:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _make(name: str, folder: Path) -> None:
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS), env.get("PYTHONPATH")]))
    log = unfinished.with_name(f"{unfinished.name}.log")
    code = warm.run_script(TESTS / "makers" / "__main__.py", [name, str(unfinished)], env, log)
    if code:
        pytest.fail(f"maker {name} failed:\n{log.read_text(errors='replace')[-3000:]}")
    log.unlink()
    if folder.exists():  # where there are no locks, two runs may make it at once
        shutil.rmtree(unfinished)
    else:
        unfinished.rename(folder)


@pytest.fixture(scope="session")
def reported() -> Path:
    """The model of tensorflow issue 98964, broken by the real converter."""
    return made("reported")


@pytest.fixture(scope="session")
def fixed(reported: Path, tmp_path_factory: pytest.TempPathFactory) -> FixResult:
    """The reported model, repaired from its weights file; nothing may change the file."""
    return tflrepair.fix(
        reported / "model.tflite",
        [reported / "new_model.weights.h5"],
        sets={"adam/learning_rate": "1e-4"},
        out=tmp_path_factory.mktemp("fixed") / "fixed.tflite",
    )


@pytest.fixture(scope="session")
def small() -> Path:
    return made("small")


@pytest.fixture(scope="session")
def odd() -> Path:
    return made("odd")


@pytest.fixture(scope="session")
def loops() -> Path:
    return made("loops")


@pytest.fixture(scope="session")
def starts() -> Path:
    return made("starts", "calls")


@pytest.fixture(scope="session")
def states() -> Path:
    return made("states", "calls")


@pytest.fixture
def data() -> Path:
    return DATA


@pytest.fixture
def sample() -> Path:
    """The sample that ships with the package: a broken model and its weights."""
    return ROOT / "tflrepair" / "samples"


@pytest.fixture
def broken(sample: Path, tmp_path: Path) -> Path:
    """The sample in a folder of its own: broken.tflite and its weights."""
    for name in ("broken.tflite", "classifier.weights.h5", "input.npz", "expected.npz"):
        shutil.copy(sample / name, tmp_path / name)
    return tmp_path / "broken.tflite"


# What is imported and collected stays. Looking for circles in it, again and again, takes a tenth of
# the time of the whole suite.
gc.set_threshold(50_000, 50)


def pytest_collection_finish() -> None:
    gc.freeze()


NOT_QUICK = ("runs", "tf", "slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`-m quick` does not even import a file of which no test can be quick."""
    if config.option.markexpr != "quick" or not collection_path.match("test_*.py"):
        return None
    for node in ast.parse(collection_path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            marks = [n.attr for n in ast.walk(node.value) if isinstance(n, ast.Attribute)]
            return True if set(marks) & set(NOT_QUICK) else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m quick`: what a developer runs after each edit."""
    for item in items:
        if not any(item.get_closest_marker(name) for name in NOT_QUICK):
            item.add_marker(pytest.mark.quick)


@pytest.fixture(scope="session", autouse=True)
def _warm_children() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(children, "start", warm.start)
        yield


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every child is a fresh interpreter, as it is for users."""
    monkeypatch.setattr(warm, "enabled", False)


@pytest.fixture(autouse=True)
def _quick_starts_no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that is not marked must not start a child process: it would not be quick for long.

    The child that reads HDF5 is let through: without it no weights file could be opened.
    """
    if request.node.get_closest_marker("quick") is None:
        yield
        return

    begin = subprocess.Popen.__init__

    def checked(self: Any, command: Any, *rest: Any, **options: Any) -> None:
        if str(pool.WORKER) not in command and list(command[1:3]) != [str(warm.SERVER), "reading"]:
            pytest.fail(f"this test starts a child process, so mark it `runs`: {command}")
        begin(self, command, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", checked)
        yield


# these need a second environment; `make test-flex` makes it
collect_ignore = [] if "TFLREPAIR_FLEX_PYTHON" in os.environ else ["flex"]
collect_ignore += [] if "TFLREPAIR_BEAM" in os.environ else ["beam"]  # `make test-beam`
if "TFLREPAIR_EXPLORER_PYTHON" not in os.environ:  # `make test-explorer`
    collect_ignore.append("explorer")
if "TFLREPAIR_MICRO" not in os.environ:  # `make test-micro`
    collect_ignore.append("micro")
if "TFLREPAIR_CHROMIUM" not in os.environ:  # `make test-page` has it
    collect_ignore.append("browser")
if "TFLREPAIR_SITE" not in os.environ:  # `make test-site`
    collect_ignore.append("docs")
