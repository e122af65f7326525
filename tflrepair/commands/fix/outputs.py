"""Where the result of ``fix`` goes, and what is refused before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

from tflrepair.commands.fix.options import Acceptance, OutputOptions, PathLike, Weights, listed
from tflrepair.containers.find import MARK
from tflrepair.errors import BadFileError, UserError
from tflrepair.files import check_free, check_no_input
from tflrepair.graph.model import Model, Source, check_given
from tflrepair.opening import mode_of
from tflrepair.rebuild.requests import Origin
from tflrepair.sources.opened import is_address


def target_of(model: Source, output: OutputOptions) -> Path:
    """The path of the new file.

    Raises:
        BadFileError: the path of the model is that of a folder without a name, such as ``/``.
        UserError: what was given is no model, or has no path beside which the new file could go.
    """
    check_given(model)
    if output.out is not None:
        return Path(output.out)
    address = address_of(model)
    if address:
        name = name_of(address)
        if not output.dry_run:
            raise UserError(
                "the model is on a server, and the result is written here",
                where=address,
                hint=f"say where to: -o {name}",
            )
        return Path(name)
    path = path_of(model)
    if path is None:
        raise UserError("the model was given as bytes", hint="say with out=... where to write")
    if not path.name:
        raise BadFileError("is a directory, not a .tflite file", where=str(path))
    return default_output(path)


def path_of(model: Source) -> Path | None:
    """The model's own path; None for one that was given as bytes, or is on a server."""
    path = model.path if isinstance(model, Model) else model
    if not isinstance(path, str | os.PathLike) or is_address(path):
        return None
    return Path(path)


def address_of(model: Source) -> str:
    """Where on a server the model is; empty for others."""
    path = model.path if isinstance(model, Model) else model
    return str(path) if isinstance(path, str) and is_address(path) else ""


def name_of(address: str) -> str:
    """What to call the result: ``https://host/dir/model.tflite?x=1`` -> ``model.fixed.tflite``."""
    return default_output(Path(address.split("?")[0].rpartition("/")[2] or "model")).name


def default_output(model: Path) -> Path:
    """``dir/model.tflite`` -> ``dir/model.fixed.tflite``; beside the archive for one inside it."""
    name = f"{model.name.removesuffix('.tflite')}.fixed.tflite"
    archive, inside, _ = str(model).partition(MARK)
    if inside and not mode_of(model):
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
