"""Windows and macOS, as far as this system can stand in for them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DATA, ROOT

from tflrepair.leftovers import workspace

SAMPLES = ROOT / "tflrepair" / "samples"

# Python's library reference, "Availability: Unix"
MODULES = frozenset(
    (
        "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty",
    )
)  # fmt: skip
ATTRIBUTES = {
    "os": (
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_TMPFILE", "fork", "geteuid",
        "getgid", "getloadavg", "getuid", "killpg", "mkfifo", "nice", "posix_fadvise",
        "posix_fallocate", "pread", "register_at_fork", "sched_getaffinity", "sendfile", "setsid",
        "statvfs", "sysconf", "uname",
    ),
    "signal": (
        "ITIMER_PROF", "SIGALRM", "SIGBUS", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGPROF", "SIGXCPU",
        "alarm", "pthread_sigmask", "setitimer",
    ),
    "mmap": ("MADV_DONTNEED", "MAP_PRIVATE", "MAP_SHARED", "PROT_READ", "PROT_WRITE"),
}  # fmt: skip


def at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """What runs when the module is imported: all but the bodies of functions and what is guarded
    by a question for the platform or for the attribute itself."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = statement.args
            for part in (*statement.decorator_list, *arguments.defaults, *arguments.kw_defaults):
                if part is not None:
                    yield from ast.walk(part)
        elif isinstance(statement, ast.ClassDef):
            yield from at_import(statement.body)
        elif isinstance(statement, ast.If):
            if not any(word in ast.unparse(statement.test) for word in ("platform", "hasattr")):
                yield from at_import(statement.body)
            yield from at_import(statement.orelse)
        elif isinstance(statement, ast.Try):
            handled = any(
                "ImportError" in ast.unparse(h.type or statement) for h in statement.handlers
            )
            yield from at_import([] if handled else statement.body)
        else:
            yield from ast.walk(statement)


def posix_only(source: str) -> list[str]:
    """What a module needs, when it is imported, that Windows has not."""
    found = []
    for node in at_import(ast.parse(source).body):
        if isinstance(node, ast.Import):
            found += [row.name for row in node.names if row.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            found += [module] if module.split(".")[0] in MODULES else []
            found += [row.name for row in node.names if row.name in ATTRIBUTES.get(module, ())]
        elif isinstance(node, ast.Attribute):
            module = ast.unparse(node.value)
            found += [f"{module}.{node.attr}"] if node.attr in ATTRIBUTES.get(module, ()) else []
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import getrlimit", ["resource"]),
        ("import os\nFLAGS = os.O_CLOEXEC", ["os.O_CLOEXEC"]),
        ("from signal import SIGHUP", ["SIGHUP"]),
        ("import os\ndef f(flags=os.O_TMPFILE): ...", ["os.O_TMPFILE"]),
        ("class A:\n    import pwd", ["pwd"]),
        ("def f():\n    import fcntl", []),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", []),
        ("import sys, os\nif sys.platform != 'win32':\n    os.register_at_fork()", []),
        ("import os\nFLAGS = getattr(os, 'O_TMPFILE', 0)", []),
    ],
)
def test_what_counts_as_posix_only(source: str, found: list[str]) -> None:
    assert posix_only(source) == found


def test_nothing_of_posix_alone_is_needed_to_import_us() -> None:
    paths = sorted((ROOT / "tflrepair").rglob("*.py"))
    assert len(paths) > 300
    needed = {str(p.relative_to(ROOT)): posix_only(p.read_text("utf-8")) for p in paths}
    assert {name: rows for name, rows in needed.items() if rows} == {}


# A system without what only POSIX has, after Python's own library has been imported; files cannot
# be renamed onto or removed while they are mapped or open, as on Windows.
_WINDOWS = f"""
import importlib.abc, mmap, os, shutil, signal, subprocess, sys, tempfile, threading, zipfile
import asyncio, concurrent.futures, ctypes, multiprocessing, numpy, pathlib, sysconfig, typer
sysconfig.get_config_vars()
ATTRIBUTES = {ATTRIBUTES!r}
MODULES = {sorted(MODULES)!r}
KEPT = ("SIGKILL",)  # for subprocess
for name in MODULES:
    sys.modules[name] = None
for module, names in ATTRIBUTES.items():
    for name in names:
        if hasattr(sys.modules[module], name) and name not in KEPT:
            delattr(sys.modules[module], name)
shutil._use_fd_functions = tempfile._O_TMPFILE_WORKS = False

def in_use(path):
    path = os.path.realpath(path)
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink("/proc/self/fd/" + number) == path:
                return True
        except OSError:
            pass
    return any(line.split(None, 5)[-1].strip() == path for line in open("/proc/self/maps"))

def refusing(name):
    real = getattr(os, name)
    def call(path, *more, **options):
        if not isinstance(path, int) and not options.get("dir_fd") and in_use(path):
            raise PermissionError(13, "is used by this process", str(path))
        return real(path, *more, **options)
    setattr(os, name, call)

for name in ("replace", "rename", "unlink", "remove"):
    refusing(name)
pathlib.WindowsPath = pathlib.PosixPath
tempfile.gettempdir()
sys.platform, os.name = "win32", "nt"
from tflrepair.cli import main
main()
"""


@pytest.mark.runs
def test_the_command_line_without_what_only_posix_has(tmp_path: Path) -> None:
    """scan, and a whole fix with an output that is there already.

    It has a folder for temporary files of its own: locks are not seen there, and nothing stops it
    from removing an open file of another process, so it would sweep the workspaces of the living.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("broken.tflite", "classifier.weights.h5"):
        shutil.copy(SAMPLES / name, tmp_path)
    (tmp_path / "out.tflite").write_bytes(b"old")
    fix = ["fix", "broken.tflite", "--weights", "classifier.weights.h5", "-o", "out.tflite"]
    fix += ["--set", "adam/learning_rate=0.001", "--force"]
    with workspace() as other:
        for arguments, code in ((["scan", str(DATA / "healthy.tflite")], 0), (fix, 0)):
            done = subprocess.run(
                [sys.executable, "-c", _WINDOWS, *arguments],
                env={**os.environ, "TMPDIR": str(folder)},
                cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (code, ""), done
        assert (other / ".owner").exists()
    assert list(folder.glob("tflrepair-*")) == []
    assert (tmp_path / "out.tflite").read_bytes()[4:8] == b"TFL3"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []
