"""What the tests of freeze and fold share: giving values without matching, running, counting."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.variables import analyse
from tflrepair.execution import runner, runtimes
from tflrepair.execution.runner import Outcome, RunCall, Task
from tflrepair.files import Output
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.passes.compact.compact import CompactPass
from tflrepair.passes.fold.fold import FoldPass
from tflrepair.passes.freeze.freeze import Frozen
from tflrepair.passes.freeze.freeze import freeze as plan_frozen
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan, NewValue, missing_calls, needing_values
from tflrepair.progress import silent
from tflrepair.rewrite.contract import Pass
from tflrepair.rewrite.pipeline import run_passes


def with_values(broken: bytes, values: Mapping[str, Any]) -> Model:
    """``broken`` grafted with ``values`` by shared name; what has none gets 1e-3 everywhere."""
    model = from_bytes(broken)
    analysis = analyse(model)
    rows = []
    for variable in needing_values(analysis):
        array = np.asarray(values.get(variable.name, 1e-3), variable.dtype)
        data = np.broadcast_to(array, variable.shape or ()).tobytes()
        shape = tuple(variable.shape or ())
        rows.append(
            NewValue(
                variable.key, variable.dtype or "", shape, len(data), "test", partial(list, (data,))
            )
        )
    entries = tuple(entry.subgraph for entry in analysis.entries)
    stream = io.BytesIO()
    graft(model, GraftPlan(entries, tuple(rows), missing_calls(analysis))).write(stream)
    return from_bytes(stream.getvalue())


def run_pass(step: Pass, model: Model) -> bytes:
    """What a pass makes of a model, its conditions held; the old bytes if it changes nothing."""
    with tempfile.TemporaryDirectory() as name:
        old = Path(name) / "old.tflite"
        old.write_bytes(model.data)
        output = Output(Path(name) / "new.tflite")
        run_passes([step], AnalysisContext(load(old)), output, silent)
        data = (output.draft.path if output.draft else old).read_bytes()
        output.close()
        return data


def fold(model: Model, timeout: float = 60.0) -> bytes:
    return run_pass(FoldPass(timeout=timeout), model)


def compacted(model: Model) -> Model:
    """What compacting makes of a model, twice as once; the model itself if it has nothing dead."""
    before, step, stream = AnalysisContext(model), CompactPass(), io.BytesIO()
    step.requires(before)
    change = step.apply(before, Path())
    if change is None:
        return model
    change.file.write(stream)
    assert len(stream.getvalue()) == change.file.size
    after = AnalysisContext(from_bytes(stream.getvalue()))
    step.ensures(before, after)
    assert step.apply(after, Path()) is None
    return after.model


def freeze(model: Model) -> Frozen:
    return plan_frozen(AnalysisContext(model))


def bytes_of(frozen: Frozen) -> bytes:
    """The new file; the old bytes where the plan changes nothing."""
    stream = io.BytesIO()
    if frozen.file is None:
        return bytes(frozen.model.data)
    frozen.file.write(stream)
    return stream.getvalue()


def run(
    data: bytes, folder: Path, *calls: tuple[str, Mapping[str, Any]], delegate: bool = True
) -> list[Outcome]:
    """``calls`` (signature, inputs) in one fresh LiteRT interpreter, in a child process."""
    path = folder / f"{len(list(folder.iterdir()))}.tflite"
    path.write_bytes(data)
    rows = tuple(RunCall(key, {k: np.asarray(v) for k, v in x.items()}) for key, x in calls)
    (runtime,) = runtimes.find(["litert"])
    (outcomes,) = runner.run(runtime, [Task(str(path), rows, delegate)], timeout=60)
    assert [o.text for o in outcomes if o.status != "ok"] == []
    return outcomes


def same(first: Sequence[Outcome], second: Sequence[Outcome]) -> bool:
    """Whether both gave the same outputs, bit for bit."""
    return len(first) == len(second) and all(
        list(a.outputs) == list(b.outputs)
        and all(a.outputs[n].tobytes() == b.outputs[n].tobytes() for n in a.outputs)
        for a, b in zip(first, second, strict=True)
    )


def counts(model: Model) -> list[Counter[str]]:
    return [Counter(o.name for o in subgraph.operators) for subgraph in model.subgraphs]
