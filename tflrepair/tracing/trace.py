"""Run a model in a child process and read the values of its tensors afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import endless_loop
from tflrepair.errors import UnsupportedError
from tflrepair.execution import runtimes
from tflrepair.execution.child import run_script
from tflrepair.execution.entries import RunTarget
from tflrepair.format.types import byte_size
from tflrepair.graph.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORKER = Path(__file__).with_name("worker.py")
_MODULES = {"litert": "ai_edge_litert.interpreter", "tf.lite": "tensorflow.lite.python.interpreter"}
# Seconds of computing, one more for each 20 MB of model, and of the clock where computing cannot be
# limited (Windows). The builtin kernels keep every tensor, in one thread.
_SECONDS, _BYTES_PER_SECOND, _CLOCK = 60.0, 20e6, 600.0
_MOST_BYTES = 4 << 30  # of all values written; what comes later in the graph is left out


@dataclass(frozen=True)
class Trace:
    """A finished run. Values are files in ``folder``, mapped when asked for.

    ``missing`` says why a tensor has no value: control flow, a type that is not compared.
    """

    folder: Path
    runtime: str
    missing: Mapping[int, str] = field(default_factory=dict)

    def value(self, tensor: int) -> NDArray[Any] | None:
        import numpy as np

        path = self.folder / f"{tensor}.npy"
        if not path.exists():
            return None
        found: NDArray[Any] = np.load(path, allow_pickle=False)
        return found


def trace(
    model: Model,
    entry: RunTarget,
    inputs: Mapping[str, NDArray[Any]],
    tensors: Iterable[int],
    folder: Path,
) -> Trace:
    """Run ``entry`` once, and write the values of ``tensors`` (of its subgraph) into ``folder``.

    Args:
        inputs: by the entry's input names, in the tensors' types.
        folder: an empty folder, which must live as long as the Trace.

    Raises:
        UnsupportedError: no runtime is installed, it refuses the model, it crashed, or the run
            would not end.
    """
    import numpy as np

    label = model.path or "the model"
    loop = endless_loop(AnalysisContext(model), entry.subgraph)
    if loop is not None:
        raise UnsupportedError(f"cannot be run: {loop.place} never ends (TFR033)", where=label)
    if model.path is None:
        path = folder / "model.tflite"
        model.copy_to(path)
    else:
        path = Path(model.path).absolute()
    names = [name for name in _MODULES if name in {row.name for row in runtimes.find()}]
    if not names:
        raise UnsupportedError("no runtime is installed", hint="pip install 'tflrepair[run]'")
    arrays: dict[str, Any] = {f"a{n}": v for n, v in enumerate(inputs.values())}
    np.savez(folder / "inputs.npz", **arrays)
    indices = {port.name: port.tensor.index for port in entry.inputs}
    seconds = _SECONDS + model.size / _BYTES_PER_SECOND
    job = {
        "seconds": seconds,
        "module": _MODULES[names[0]],
        "model": str(path),
        "signature": entry.signature,
        "subgraph": entry.subgraph,
        "inputs": [[name, indices[name], f"a{n}"] for n, name in enumerate(inputs)],
        "tensors": _affordable(model, entry.subgraph, tensors),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    end = run_script(WORKER, [str(folder)], folder / "log", _CLOCK, "the runtime")
    if "SIGPROF" in end:
        raise UnsupportedError(
            f"cannot be run: it computes for more than {seconds:.0f} s and may loop for ever",
            where=label,
        )
    if end:
        raise UnsupportedError(f"cannot be run: {end}", where=label)
    done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
    if "error" in done:
        text = " ".join(done["error"].split())
        raise UnsupportedError(
            f"cannot be run by the builtin kernels: {text}",
            where=label,
            hint="`tflrepair verify` shows what each runtime does",
        )
    return Trace(folder, names[0], {int(key): text for key, text in done["missing"].items()})


def _affordable(model: Model, subgraph: int, tensors: Iterable[int]) -> list[int]:
    rows, total = [], 0
    for index in dict.fromkeys(tensors):
        tensor = model.subgraph(subgraph).tensor(index)
        total += byte_size(tensor.dtype, tensor.shape) or 0
        if total > _MOST_BYTES:
            break
        rows.append(index)
    return rows
