"""Rebuilding as a pass: what it starts from, and that both models answer alike."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.execution import worker
from tflrepair.execution.compare import RTOL
from tflrepair.execution.entries import run_targets
from tflrepair.execution.result import Symptom
from tflrepair.execution.verify import verify
from tflrepair.passes.graft.graft import check_grafted
from tflrepair.passes.graft.unique_names import unique_names
from tflrepair.progress import Progress
from tflrepair.rebuild.requests import Origin
from tflrepair.rewrite.contract import Change

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIFFERENT = (Symptom.MODELS_DIFFER, Symptom.ERROR, Symptom.UNSET, Symptom.CRASH)


@dataclass(frozen=True)
class Converted:
    """A file as TensorFlow's converter handed it over."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        stream.write(self.data)


@dataclass(frozen=True)
class RebuildPass:
    """A tf.Module over the values of the model, converted anew.

    ``given``: whether the values of the model win over those of its origin.
    """

    origin: Origin
    given: bool
    title: str = "rebuilding with TensorFlow"

    def requires(self, before: AnalysisContext) -> None:
        require_tensorflow()

    def apply(self, before: AnalysisContext, work: Path) -> Change:
        data, note = self._rebuilt(before)
        return Change(Converted(unique_names(data)), f"{note}, converted by TensorFlow")

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_grafted(after)
        check_agreement(before, after)

    def _rebuilt(self, before: AnalysisContext) -> tuple[bytes, str]:
        origin = self.origin
        if origin.saved_model:
            from tflrepair.rebuild.origins.saved_model import rebuild_from_saved_model

            values = initial_values(before) if self.given else {}
            data = rebuild_from_saved_model(before, Path(origin.saved_model), values)
            return data, f"rebuilt from the SavedModel {origin.saved_model}"
        if origin.module:
            from tflrepair.rebuild.origins.user_module import rebuild_from_module

            kwargs = origin.init_kwargs or {}
            data = rebuild_from_module(before, origin.module, initial_values(before), kwargs)
            return data, f"rebuilt from {origin.module}"
        from tflrepair.rebuild.origins.tflite import rebuild_from_tflite

        return rebuild_from_tflite(before, {}), "rebuilt from the .tflite"


def require_tensorflow() -> None:
    """Raises UnsupportedError unless what rebuilding needs is installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise UnsupportedError(
            "TensorFlow is not installed, so nothing can be rebuilt",
            hint="pip install 'tflrepair[tf]'",
        )


def check_agreement(before: AnalysisContext, after: AnalysisContext) -> None:
    """Two independent repairs must answer alike, in all that LiteRT can run of both.

    Deep networks sum large terms, and what is left where they cancel is noise of their size: a
    MobileNetV2 of random weights is off by 1e-5 of its largest answer, TensorFlow's own kernels
    included (against float64), which may be 1e-2 of its smallest.

    Raises:
        RefusedError: they differ.
    """
    if "litert" not in worker.installed():
        return
    comparable = {t.label for t in run_targets(before) if not t.flex}
    for run in verify(after, against=before, runtimes=["litert"], whole=RTOL).runs:
        if run.signature not in comparable:
            continue
        for finding in run.findings:
            if finding.code in _DIFFERENT:
                raise RefusedError(
                    f"`{run.signature}` of the rebuilt model and of the graft do not agree: "
                    f"{finding.message}",
                    hint="nothing was written; --strategy graft is exact",
                )


def initial_values(context: AnalysisContext) -> dict[ResourceId, NDArray[Any]]:
    """The constants that the initializers of a model assign, by variable.

    Raises:
        RefusedError: a value does not have the size of its variable.
    """
    import numpy as np

    model = context.model
    values = {}
    for variable in context.analysis.variables:
        initial = variable.initial
        if initial is None or variable.dtype is None:
            continue
        tensor = model.subgraph(initial.target).tensor(initial.tensor)
        try:
            flat = np.frombuffer(model.buffer_bytes(initial.buffer), tensor.dtype)
            values[variable.key] = flat.astype(variable.dtype).reshape(tensor.shape)
        except (ValueError, TypeError) as error:
            raise RefusedError(
                f"the initial value of {variable.name!r} cannot be read: {error}"
            ) from None
    return values
