"""The fold: litert-converter's MLIR folds constants, transposes and batch normalisations.

Promises: signatures, names, metadata, variables with their initial values, custom and Flex
operators with their options, inputs and outputs with their types and open dimensions are those
of the old file, checked in the file and by running both; what cannot be kept is refused. Tensor
indices and the names of inner tensors change. Answers agree within float32 rounding, since
folding reorders arithmetic.

Idempotent in effect: a folded model has nothing left to fold.
"""

from __future__ import annotations

import importlib.util
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tflrepair.analysis.variables import analyse
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.fold.fold_invariants import check_foldable, check_same
from tflrepair.passes.fold.restore import restore
from tflrepair.passes.freeze.plan import check_initialized

WORKER = Path(__file__).with_name("mlir_worker.py")
TIMEOUT = 600.0  # seconds for MLIR; it takes about 0.05 s for each MB of weights
_HINT = "pip install 'tflrepair[optimize]'"
_KEEP = "keep the model as it is (--strategy graft, with --freeze)"


def require() -> None:
    """Raises UnsupportedError unless litert-converter and ai-edge-litert are installed."""
    for package, name in (
        ("litert_converter", "litert-converter"),
        ("ai_edge_litert", "ai-edge-litert"),
    ):
        if importlib.util.find_spec(package) is None:
            raise UnsupportedError(f"{name} is not installed, so nothing can be folded", hint=_HINT)


def fold(model: Model, *, timeout: float = TIMEOUT) -> bytes:
    """The folded model.

    Args:
        model: a model whose variables have their values, best after ``freeze``.
        timeout: seconds that MLIR may take.

    Raises:
        UnsupportedError: litert-converter or ai-edge-litert is not installed; the model holds
            what MLIR would lose.
        RefusedError: a variable has no value yet; MLIR fails, or what it gives is not the same
            model.
        BadFileError: the file is damaged.
    """
    from tflrepair.execution import agreement

    require()
    model.walk()
    check_initialized(analyse(model))
    check_foldable(model)
    with tempfile.TemporaryDirectory(prefix="tflrepair-") as name, ThreadPoolExecutor(1) as pool:
        old, new = Path(name) / "before.tflite", Path(name) / "after.tflite"
        old.write_bytes(model.data)
        exported = pool.submit(_mlir, old, new, timeout)
        trial = agreement.plan(model)
        wanted = agreement.run(trial, old)
        data = _restored(model, exported.result())
        new.write_bytes(data)
        agreement.check(trial, wanted, agreement.run(trial, new))
    return data


def _restored(model: Model, exported: bytes) -> bytes:
    try:
        after = from_bytes(exported)
        after.walk()
        data = restore(model, after)
        check_same(model, from_bytes(data))
    except RefusedError:
        raise
    except TflRepairError as error:
        raise RefusedError(f"MLIR gave a file that we cannot use: {error}", hint=_KEEP) from None
    return data


def _mlir(source: Path, target: Path, timeout: float) -> bytes:
    """Run MLIR in a child process and give what it wrote."""
    from tflrepair.execution.child import run_script

    log = target.with_name("log")
    ending = run_script(WORKER, [str(source), str(target)], log, timeout, "MLIR")
    if ending or not target.exists():
        reason = _first_error(log) or ending or "it wrote nothing"
        raise RefusedError(f"MLIR cannot fold this model: {reason}", hint=_KEEP)
    return target.read_bytes()


def _first_error(log: Path) -> str:
    """The first error in MLIR's output; those behind it are its consequences."""
    with log.open("rb") as stream:
        lines = stream.read(1 << 16).decode(errors="replace").splitlines()
    return next((line.strip()[:300] for line in lines if "rror:" in line), "")
