"""What may follow the graft: freezing, folding, or rebuilding with TensorFlow.

    graft      nothing: exact, instant, needs nothing; every weight stays a variable
    optimize   freeze what nothing assigns, then fold with litert-converter's MLIR
    rebuild    a tf.Module over the same values, converted anew by TensorFlow

A model that is to run without the Flex delegate is then rebuilt once more, from itself.

Each stage takes the model so far and gives new bytes with a note, or None if it changes nothing.
"""

from __future__ import annotations

import importlib.util
import io
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.variables import analyse
from tflrepair.errors import RefusedError, UnsupportedError, UserError
from tflrepair.graph.model import Model, from_bytes
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import GraftPlan, checkpoint_renames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflrepair.rebuild.lower.choose import NoFlex

GRAFT, OPTIMIZE, REBUILD = "graft", "optimize", "rebuild"
STRATEGIES = (GRAFT, OPTIMIZE, REBUILD)

Stage = Callable[[Model], "Staged | None"]


@dataclass(frozen=True)
class Staged:
    """What a stage made: the new file, what it did in words, and whether it must still be held
    against the file before it by running both."""

    data: bytes = field(repr=False)
    note: str
    compare: bool = False


@dataclass(frozen=True)
class Origin:
    """What to rebuild from: a SavedModel folder, ``file.py:Class`` with its arguments, or, with
    neither, the .tflite alone. ``given`` says that the user gave weights, which then win."""

    saved_model: str | None = None
    module: str | None = None
    init_kwargs: Mapping[str, Any] | None = None
    given: bool = True


def stages(
    strategy: str, freeze: bool, origin: Origin, no_flex: NoFlex | None = None
) -> tuple[Stage, ...]:
    """The stages of ``strategy``, in order.

    Raises:
        UserError: no such strategy, or ``origin`` belongs to another one.
        UnsupportedError: an optional package that the strategy needs is not installed.
    """
    if strategy not in STRATEGIES:
        raise UserError(f"no strategy {strategy!r}", hint=f"choose from {', '.join(STRATEGIES)}")
    if strategy != REBUILD and (origin.saved_model or origin.module):
        raise UserError("a SavedModel or a module is for --strategy rebuild")
    if origin.saved_model and origin.module:
        raise UserError("rebuild from a SavedModel or from a module, not from both")
    if no_flex is not None:
        return _without_flex(strategy, freeze, origin, no_flex)
    if strategy == GRAFT:
        return (_freeze,) if freeze else ()
    if freeze and strategy == REBUILD:
        raise UserError("--freeze is for the graft; a rebuilt model is frozen by its conversion")
    if strategy == OPTIMIZE:
        from tflrepair.passes.fold import fold

        fold.require()
        return (_freeze, _fold)
    require_tensorflow()
    return (_rebuild(origin),)


def _without_flex(
    strategy: str, freeze: bool, origin: Origin, options: NoFlex
) -> tuple[Stage, ...]:
    if freeze or strategy == OPTIMIZE:
        what = "--freeze" if freeze else "--strategy optimize"
        raise UserError(f"{what} and --no-flex do not go together: the result is converted anew")
    options.check()
    require_tensorflow()
    first = (_rebuild(origin),) if origin.saved_model or origin.module else ()
    return (*first, _lower(options))


def _lower(options: NoFlex) -> Stage:
    def stage(model: Model) -> Staged:
        from tflrepair.rebuild.lower.convert import lower_flex

        lowered = lower_flex(model, {}, options)
        return Staged(unique_names(lowered.data), "\n".join(lowered.notes), compare=True)

    return stage


def require_tensorflow() -> None:
    """Raises UnsupportedError unless what rebuilding needs is installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise UnsupportedError(
            "TensorFlow is not installed, so nothing can be rebuilt",
            hint="pip install 'tflrepair[tf]'",
        )


def _freeze(model: Model) -> Staged | None:
    from tflrepair.passes.freeze import freeze

    frozen = freeze.freeze(model)
    if not frozen.plan.changes:
        return None
    data = frozen.to_bytes()
    freeze.check_frozen(frozen, from_bytes(data))
    notes = [f"{len(frozen.plan.frozen)} variables became constants"]
    for reason, count in Counter(why for _, why in frozen.plan.kept).most_common():
        notes.append(f"{count} stay variables: {reason}")
    return Staged(data, "; ".join(notes))


def _fold(model: Model) -> Staged | None:
    from tflrepair.passes.fold import fold

    data = fold.fold(model)
    before, after = _operators(model), _operators(from_bytes(data))
    if before == after and len(data) >= model.size:
        return None
    return Staged(data, f"folded {before} operators to {after}")


def _operators(model: Model) -> int:
    return sum(subgraph.operator_count for subgraph in model.subgraphs)


def _rebuild(origin: Origin) -> Stage:
    def stage(model: Model) -> Staged:
        if origin.saved_model:
            from tflrepair.rebuild.origins.saved_model import rebuild_from_saved_model

            values = initial_values(model) if origin.given else {}
            data = rebuild_from_saved_model(model, Path(origin.saved_model), values)
            note = f"rebuilt from the SavedModel {origin.saved_model}"
        elif origin.module:
            from tflrepair.rebuild.origins.user_module import rebuild_from_module

            kwargs = origin.init_kwargs or {}
            data = rebuild_from_module(model, origin.module, initial_values(model), kwargs)
            note = f"rebuilt from {origin.module}"
        else:
            from tflrepair.rebuild.origins.tflite import rebuild_from_tflite

            data, note = rebuild_from_tflite(model, {}), "rebuilt from the .tflite"
        return Staged(unique_names(data), f"{note}, converted by TensorFlow", compare=True)

    return stage


def unique_names(data: bytes) -> bytes:
    """``data`` with unique names in save and restore; the source brings its own back."""
    model = from_bytes(data)
    plan = GraftPlan((), (), (), checkpoint_renames(model, analyse(model)))
    if not plan.changes:
        return data
    stream = io.BytesIO()
    graft(model, plan).write(stream)
    return stream.getvalue()


def initial_values(model: Model) -> dict[ResourceId, NDArray[Any]]:
    """The constants that the initializers of a model assign, by variable.

    Raises:
        RefusedError: a value does not have the size of its variable.
    """
    import numpy as np

    values = {}
    for variable in analyse(model).variables:
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
