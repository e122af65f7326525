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
from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.errors import RefusedError, TflRepairError, UnsupportedError
from tflrepair.graph.model import Model, load
from tflrepair.passes.fold.fold_invariants import check_foldable, check_same
from tflrepair.passes.fold.restore import restore
from tflrepair.passes.freeze.plan import check_initialized
from tflrepair.rewrite.contract import Change
from tflrepair.wording import plural

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


@dataclass(frozen=True)
class FoldPass:
    """The fold as a pass. ``timeout``: seconds that MLIR may take."""

    title: str = "folding"
    timeout: float = TIMEOUT

    def requires(self, before: AnalysisContext) -> None:
        """Raises UnsupportedError too where the packages that fold are not installed."""
        require()
        check_initialized(before.analysis)
        check_foldable(before.model)

    def apply(self, before: AnalysisContext, work: Path) -> Change | None:
        model = before.model
        source = Path(model.path) if model.path else work / "before.tflite"
        if not model.path:
            source.write_bytes(model.data)
        exported = work / "exported.tflite"
        _mlir(source, exported, self.timeout)
        try:
            after = load(exported)
            after.walk()
            file = restore(model, after)
        except RefusedError:
            raise
        except TflRepairError as error:
            raise _unusable(error) from None
        old, new = _operators(model), _operators(after)
        if old == new and file.size >= model.size:
            return None
        return Change(file, f"folded {plural(old, 'operator')} to {new}")

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        """The same model in the file, and the same answers where LiteRT can run it."""
        from tflrepair.execution import agreement

        try:
            check_same(before, after)
        except RefusedError:
            raise
        except TflRepairError as error:
            raise _unusable(error) from None
        agreement.check(before, after)


def _unusable(error: TflRepairError) -> RefusedError:
    return RefusedError(f"MLIR wrote a file that cannot be used: {error}", hint=_KEEP)


def _operators(model: Model) -> int:
    return sum(subgraph.operator_count for subgraph in model.subgraphs)


def _mlir(source: Path, target: Path, timeout: float) -> None:
    """Run MLIR in a child process, which writes ``target``."""
    from tflrepair.execution.child import run_script

    log = target.with_name("log")
    ending = run_script(WORKER, [str(source), str(target)], log, timeout, "MLIR")
    if ending or not target.exists():
        reason = _first_error(log) or ending or "it wrote nothing"
        raise RefusedError(f"MLIR cannot fold this model: {reason}", hint=_KEEP)


def _first_error(log: Path) -> str:
    """The first error in MLIR's output; those behind it are its consequences."""
    with log.open("rb") as stream:
        lines = stream.read(1 << 16).decode(errors="replace").splitlines()
    return next((line.strip()[:300] for line in lines if "rror:" in line), "")
