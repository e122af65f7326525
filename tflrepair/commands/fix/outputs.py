"""Where the result of ``fix`` goes, and what is refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from tflrepair.commands.fix.options import Acceptance, OutputOptions, PathLike, Weights, listed
from tflrepair.containers.find import MARK
from tflrepair.errors import UserError
from tflrepair.files import check_free, check_no_input
from tflrepair.graph.model import Model, Source
from tflrepair.rebuild.requests import Origin


def target_of(model: Source, output: OutputOptions) -> Path:
    """The path of the new file.

    Raises:
        UserError: the model has no path beside which the new file could go, and none was given.
    """
    if output.out is not None:
        return Path(output.out)
    path = path_of(model)
    if path is None:
        raise UserError("the model was given as bytes", hint="say with out=... where to write")
    return default_output(path)


def path_of(model: Source) -> Path | None:
    """The model's own path; None for one that was given as bytes."""
    if isinstance(model, Model):
        return Path(model.path) if model.path is not None else None
    return Path(model) if isinstance(model, str | os.PathLike) else None


def default_output(model: Path) -> Path:
    """``dir/model.tflite`` -> ``dir/model.fixed.tflite``; beside the archive for one inside it."""
    name = f"{model.name.removesuffix('.tflite')}.fixed.tflite"
    archive, inside, _ = str(model).partition(MARK)
    if inside and not model.exists():
        return Path(archive).with_name(name)
    return model.with_name(name)


def _of_origin(origin: Origin) -> list[PathLike]:
    module = [origin.module.rpartition(":")[0]] if origin.module else []
    return [*module, *([origin.saved_model] if origin.saved_model else [])]


def check_outputs(
    model: Source,
    weights: Weights,
    acceptance: Acceptance,
    output: OutputOptions,
    origin: Origin,
) -> None:
    """Refuse outputs that must not or cannot be written.

    Raises:
        UserError: an output is one of the inputs, or both are one file; or it exists and is not
            to be replaced, or cannot be written.
    """
    target = target_of(model, output)
    files = [each for each in listed(weights) if isinstance(each, str | os.PathLike)]
    own = path_of(model)
    inputs = [*([own] if own else []), *files, *(acceptance.check or ()), *_of_origin(origin)]
    check_no_input(target, inputs)
    if output.map_out is not None:
        check_no_input(Path(output.map_out), [*inputs, target])
        check_free(Path(output.map_out), output.force)
    if not output.dry_run:
        check_free(target, output.force)
