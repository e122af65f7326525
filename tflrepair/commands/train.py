"""Train a model on the desk: the proof that it will train on the device.

The model's own training signature runs under LiteRT, which needs neither TensorFlow nor Flex.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.loops import endless_loop
from tflrepair.commands.train_result import TrainResult
from tflrepair.containers.on_disk import on_disk
from tflrepair.errors import RefusedError, UnsupportedError, UserError
from tflrepair.execution.compare import not_finite
from tflrepair.files import atomic, check_free, check_no_input
from tflrepair.graph.model import Source, load
from tflrepair.leftovers import workspace
from tflrepair.passes.add_state.add_state import AddStatePass
from tflrepair.passes.add_state.plan import GET, SET
from tflrepair.passes.graft.graft import GraftPass
from tflrepair.passes.graft.plan import GraftPlan, NewValue, Replacement, initializing_sites
from tflrepair.progress import silent
from tflrepair.rewrite.pipeline import run_passes
from tflrepair.wording import plural, verb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflrepair.execution.entries import RunTarget

DEFAULT_STEPS = 100
DEFAULT_BATCH = 8
_LARGEST_BATCH = 64 << 20  # bytes, of more examples than there are
Data = str | os.PathLike[str] | Mapping[str, "NDArray[Any]"]


def train(
    model: Source,
    data: Data,
    *,
    steps: int = DEFAULT_STEPS,
    batch: int | None = None,
    signature: str | None = None,
    loss: str | None = None,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> TrainResult:
    """Run the training signature of ``model`` under LiteRT.

    Args:
        data: input name -> examples, an .npz or a mapping. An input whose array has one dimension
            size more than the signature's batch is gone through batch by batch, in a new order each
            round; an array of exactly the input's shape is fed at each step.
        steps: the number of training steps.
        batch: examples for each step; default: what the signature fixes, else 8.
        signature: its key; default: ``train``, else the only one that assigns variables and
            gives a loss.
        loss: the output that is the loss; default: ``loss``, else the only float of size 1.
        out: write a copy of the model whose initial values are the trained ones.
        seed: of the order of the examples.
        force: replace ``out`` if it exists.
        progress: told (steps done, last loss).

    Raises:
        BadFileError: the model or the data cannot be read.
        UserError: data that do not fit, an unknown signature or output, ``out`` exists.
        UnsupportedError: it needs Flex, LiteRT is not installed, or refuses the model.
        RefusedError: the model is broken.
    """
    from tflrepair.execution import train as execution

    if steps < 1:
        raise UserError("there must be at least one step")
    if batch is not None and batch < 1:
        raise UserError(f"the batch cannot be {batch}", hint="give --batch 1 or more")
    if out is not None:
        inputs = [each for each in (model, data) if isinstance(each, str | os.PathLike)]
        check_no_input(Path(out), inputs)
        check_free(Path(out), force)
    before = AnalysisContext(load(model))
    target = _signature(before, signature)
    loop = endless_loop(before, target.subgraph)
    if loop is not None:
        raise UnsupportedError(
            f"signature {target.label} never ends: {loop.place} has a constant condition (TFR033)",
            hint="`tflrepair explain TFR033` tells more",
        )
    arrays, rows, size = _data(target, data, batch)
    with workspace() as folder, on_disk(before.model) as path:
        runnable = _with_state(before, path, folder) if out is not None else path
        job = execution.TrainJob(
            model=str(runnable.absolute()),
            signature=target.label,
            data=arrays,
            rows=rows,
            steps=steps,
            batch=size,
            seed=seed,
            loss=_loss(target, loss),
            state=GET if out is not None else None,
        )
        done = execution.run_training(job, progress or (lambda step, value: None))
    result = TrainResult(
        before.model.path or "the given model",
        target.label,
        size,
        done.losses,
        done.seconds,
        done.state,
        unfit=() if all(map(isfinite, done.losses)) else _unfit(arrays),
    )
    if out is None:
        return result
    if not result.finite:
        raise RefusedError(
            "the loss is not finite; no trained model was written", hint=result.advice
        )
    _write(before, done.state, Path(out), force)
    return TrainResult(**{**vars(result), "out": str(out)})


def _signature(context: AnalysisContext, wanted: str | None) -> RunTarget:
    from tflrepair.execution.entries import run_targets

    unset = [v.name for v in context.analysis.variables if v.unset_in]
    if unset:
        raise RefusedError(
            f"{plural(len(unset), 'variable')} {verb(len(unset), 'has', 'have')} no initial "
            f"value: {', '.join(unset[:4])}",
            hint="repair the model first: tflrepair fix MODEL --weights FILE",
        )
    found = [e for e in run_targets(context, wanted) if e.signature is not None]
    if wanted is None:
        named = [e for e in found if e.signature == "train"]
        found = named or [e for e in found if _trains(context, e)]
    if len(found) != 1:
        keys = ", ".join(s.key for s in context.model.signatures)
        raise UserError(
            "it is not clear which signature trains",
            hint=f"name it with --signature; there are: {keys or 'none'}",
        )
    if found[0].flex:
        raise UnsupportedError(
            f"signature {found[0].label} needs Flex ({', '.join(found[0].flex[:4])}), which LiteRT "
            "lacks",
            hint="tflrepair fix MODEL --no-flex (or rebuild, convert) writes it without Flex",
        )
    if not _trains(context, found[0]):
        raise UserError(
            f"signature {found[0].label} trains nothing: it takes no data, or assigns no variable",
            hint="leave out --signature, or name one that trains",
        )
    return found[0]


def _trains(context: AnalysisContext, entry: RunTarget) -> bool:
    if entry.signature == SET or not entry.inputs:
        return False
    starts = set(context.analysis.initializers)
    assigned = {site.subgraph for v in context.analysis.variables for site in v.assigned_by}
    return entry.subgraph in assigned - starts


def _loss(target: RunTarget, wanted: str | None) -> str:
    names = [port.name for port in target.outputs]
    if wanted is not None:
        if wanted not in names:
            raise UserError(f"no output {wanted!r}", hint=f"there are: {', '.join(names)}")
        return wanted
    if "loss" in names:
        return "loss"
    scalars = [
        port.name
        for port in target.outputs
        if port.tensor.dtype.startswith("float") and set(port.tensor.shape) <= {1}
    ]
    if len(scalars) != 1:
        raise UserError(
            f"it is not clear which output of {target.label} is the loss",
            hint=f"name it with --loss; there are: {', '.join(names)}",
        )
    return scalars[0]


def _data(
    target: RunTarget, data: Data, batch: int | None
) -> tuple[dict[str, NDArray[Any]], dict[str, bool], int]:
    """The arrays in the inputs' types, which are gone through by example, and the batch."""
    import numpy as np

    from tflrepair.execution import inputs

    given = inputs.select(inputs.read(data, "--data"), target, target.inputs)
    lacking = [port.text for port in target.inputs if port.name not in given]
    if lacking:
        raise UserError(f"the data has no {', '.join(lacking)}", hint="name arrays like the inputs")
    rows: dict[str, bool] = {}
    size = _batch(target, batch)
    whole: dict[str, NDArray[Any]] = {}
    for port in target.inputs:
        array = np.asarray(given[port.name])
        sizes = port.tensor.shape
        rows[port.name] = bool(sizes) and (sizes[0] < 0 or array.shape[:1] != sizes[:1])
        if not rows[port.name]:
            whole |= inputs.fit({port.name: array}, _only(target, port.name))
            continue
        if array.ndim != len(sizes) or len(array) < 1:
            raise UserError(
                f"input {port.name} has shape {list(array.shape)}", hint=f"expected: {port.text}"
            )
        if size > len(array) and size * array[:1].nbytes > _LARGEST_BATCH:
            raise UserError(
                f"a batch of {plural(size, 'example')} of input {port.name} would take "
                f"{size * array[:1].nbytes:,} bytes, and the data has {len(array):,}; above "
                f"{_LARGEST_BATCH >> 20} MB no example is used twice",
                hint="give more examples, or a smaller --batch if the model leaves it open",
            )
        sample = np.resize(array[:1], (size, *array.shape[1:]))
        kind = inputs.fit({port.name: sample}, _only(target, port.name))[port.name].dtype
        whole[port.name] = array.astype(kind)
    counts = {len(whole[name]) for name, by_row in rows.items() if by_row}
    if len(counts) > 1:
        raise UserError(f"the inputs hold different numbers of examples: {sorted(counts)}")
    return whole, rows, size


def _unfit(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """What of the data, in the inputs' types, is not finite."""
    rows = {name: not_finite(array) for name, array in arrays.items()}
    return tuple(f"input {name} has {text}" for name, text in rows.items() if text)


def _only(target: RunTarget, name: str) -> RunTarget:
    from dataclasses import replace

    return replace(target, inputs=tuple(port for port in target.inputs if port.name == name))


def _batch(target: RunTarget, wanted: int | None) -> int:
    fixed = {p.tensor.shape[0] for p in target.inputs if p.tensor.shape and p.tensor.shape[0] > 0}
    opened = any(p.tensor.shape and p.tensor.shape[0] < 0 for p in target.inputs)
    if opened or not fixed:
        return wanted or DEFAULT_BATCH
    first = next(p.tensor.shape[0] for p in target.inputs if p.tensor.shape)
    if wanted not in (None, first):
        raise UserError(
            f"signature {target.label} has a fixed batch of {first}",
            hint="leave out --batch; a model repaired with --no-flex takes any batch",
        )
    return first


def _with_state(context: AnalysisContext, path: Path, folder: Path) -> Path:
    """The model at ``path``, or a copy in ``folder`` with get_weights and set_weights."""
    copy = folder / "model.tflite"
    with atomic(copy, force=False) as output:
        done = run_passes([AddStatePass()], context, output, silent)
    return path if done.context is None else copy


def _write(
    context: AnalysisContext, state: Mapping[str, NDArray[Any]], out: Path, force: bool
) -> None:
    """A copy of the model whose initializers assign the values of ``state``."""
    replacements = []
    for variable in context.analysis.variables:
        value = state.get(variable.name, state.get(f"{variable.key.container}/{variable.name}"))
        if value is None:
            continue
        if variable.initial is None:
            raise UnsupportedError(
                f"the initial value of {variable.name!r} is computed, so it cannot be replaced"
            )
        data = partial(_bytes, value)
        new = NewValue(variable.key, str(value.dtype), value.shape, value.nbytes, "training", data)
        replacements.append(Replacement(initializing_sites(context.analysis, variable), new))
    with atomic(out, force) as output:
        plan = GraftPlan((), (), (), (), tuple(replacements))
        run_passes([GraftPass(plan)], context, output, silent)


def _bytes(value: NDArray[Any]) -> tuple[bytes]:
    return (value.tobytes(),)
