"""Which runtimes there are, in this Python or in another one.

LiteRT and tf.lite are known here. Rooms above may register others that stand on one of these; such
a runtime runs only when it is asked for by name.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tflrepair.errors import UnsupportedError, UserError
from tflrepair.execution import worker
from tflrepair.processes import children

WORKER = Path(__file__).with_name("worker.py")
# what gives each runtime: our extra, and the package in another Python
_GIVEN_BY = {"litert": ("run", "ai-edge-litert"), "tf.lite": ("tf", "tensorflow")}

# The first tensorflow wheels without the Flex delegate, measured with 2.18.1 and 2.19.0.
_NO_FLEX_SINCE = (2, 19)


@dataclass(frozen=True)
class Registered:
    """A runtime from a room above.

    Attributes:
        needs: the runtime whose package it stands on (its version is that one's).
        module: what the worker imports; it has ``Interpreter`` and ``OpResolverType``.
        has_flex: whether it runs Flex operators.
        delegates: the delegate modes to run it in.
    """

    name: str
    needs: str
    module: str
    has_flex: bool
    delegates: tuple[str, ...]


_REGISTERED: dict[str, Registered] = {}


def register(runtime: Registered) -> None:
    """Make ``runtime`` known to ``find``."""
    _REGISTERED[runtime.name] = runtime


@dataclass(frozen=True)
class Runtime:
    """A runtime. ``name`` is ``litert``, ``tf.lite`` or a registered one; ``version`` may be empty.

    ``python`` is the interpreter that has it.
    """

    name: str
    version: str
    python: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".rstrip()

    @property
    def module(self) -> str:
        """The module with ``Interpreter``."""
        known = _REGISTERED.get(self.name)
        return known.module if known else worker.RUNTIMES[self.name][2]

    @property
    def delegates(self) -> tuple[str, ...]:
        """``default`` and ``none``, but where there is no delegate to leave out."""
        known = _REGISTERED.get(self.name)
        return known.delegates if known else ("default", "none")

    @property
    def may_have_flex(self) -> bool:
        """False where the Flex delegate is known to be missing; no ai-edge-litert ever had it."""
        if self.name in _REGISTERED:
            return _REGISTERED[self.name].has_flex
        if self.name != "tf.lite":
            return False
        numbers = re.match(r"(\d+)\.(\d+)", self.version)
        return numbers is None or (int(numbers[1]), int(numbers[2])) < _NO_FLEX_SINCE


# A process that writes to all the memory it takes gets it in a third of the time in pages of 2 MB
# instead of 4 KB (man madvise, MADV_HUGEPAGE; glibc 2.35 and later).
HUGE_PAGES = "glibc.malloc.hugetlb=1"


def tuned(variables: Mapping[str, str], setting: str) -> dict[str, str]:
    """``variables`` with one more setting of glibc's, behind those that are there."""
    known = variables.get("GLIBC_TUNABLES")
    return {**variables, "GLIBC_TUNABLES": f"{known}:{setting}" if known else setting}


def environment(python: str, temporary: Path | None = None) -> dict[str, str]:
    """Environment variables of a child: quiet, on the CPU, and another Python's own packages.

    Args:
        temporary: an absolute folder that the caller removes. The child's temporary files go there:
            TensorFlow removes its own at the end of the interpreter only, which a child that is
            killed does not reach.
    """
    result = dict(os.environ)
    result.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", PYTHONWARNINGS="ignore")
    result.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads, which runtimes do not use
    if temporary is not None:
        result.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))
    if python == sys.executable:  # scripts of ours may import what the package has
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        result["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    else:
        for name in ("PYTHONPATH", "PYTHONHOME"):
            result.pop(name, None)
    return result


def _install(name: str, python: str | None) -> str:
    """The command that installs a runtime."""
    extra, package = _GIVEN_BY[_REGISTERED[name].needs if name in _REGISTERED else name]
    if python:
        return f"{shlex.quote(python)} -m pip install {package}"
    return f"pip install 'tflrepair[{extra}]'"


def find(names: Sequence[str] | None = None, python: str | None = None) -> tuple[Runtime, ...]:
    """The installed runtimes, or those of ``names``, in ``python`` (a path; default: this one).

    Raises:
        UserError: a name that is no runtime, or ``python`` does not run.
        UnsupportedError: a runtime of ``names`` is not installed, or none is.
    """
    for name in names or ():
        if name not in worker.RUNTIMES and name not in _REGISTERED:
            known = ", ".join([*worker.RUNTIMES, *_REGISTERED])
            raise UserError(f"there is no runtime {name!r}", hint=f"choose from {known}")
    found = worker.installed() if python is None else _ask(python)
    extra = {r.name: found[r.needs] for r in _REGISTERED.values() if r.needs in found}
    where = f" in {python}" if python else ""
    if names is not None:
        found |= extra
        for name in names:
            if name not in found:
                raise UnsupportedError(
                    f"{name} is not installed{where}", hint=_install(name, python)
                )
        found = {name: found[name] for name in names}
    if not found:
        raise UnsupportedError(
            f"no runtime is installed{where}, so the model cannot be run",
            hint=_install("litert", python),
        )
    return tuple(Runtime(name, ver, python or sys.executable) for name, ver in found.items())


def _ask(python: str) -> dict[str, str]:
    """``worker.installed()`` of another Python."""
    try:
        answer = subprocess.run(
            children.command(WORKER, ["--list"], python=python),
            capture_output=True,
            timeout=60,
            env=environment(python),
            check=True,
        )
        found = json.loads(answer.stdout)
        return {name: str(found[name]) for name in worker.RUNTIMES if name in found}
    except subprocess.CalledProcessError as error:
        text = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = text[0] if text else f"exit code {error.returncode}"
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    raise UserError(
        f"{python} does not run as a Python interpreter: {reason}",
        hint="give the path of a python executable, version 3.9 or newer",
    )
