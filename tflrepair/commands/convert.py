"""Convert without losing weights: what TensorFlow's converter should have done.

Keras 3 saves a copy of each tf.Variable in its place (keras/src/backend/tensorflow/core.py,
``_export_to_saved_model_graph``), and the converter finds no value for the one that signatures
capture. So what they capture is tracked on the module while it is saved. A SavedModel folder is
loaded and saved again, which comes to the same. What comes out is scanned before it is handed out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.commands.convert_without_flex import no_flex, without_flex
from tflrepair.commands.scan import scan
from tflrepair.errors import RefusedError, UnsupportedError, UserError
from tflrepair.files import check_free, write
from tflrepair.findings import Severity
from tflrepair.graph.model import from_bytes
from tflrepair.leftovers import workspace
from tflrepair.opening import is_folder, mode_of
from tflrepair.passes.graft.unique_names import unique_names
from tflrepair.progress import Progress, silent
from tflrepair.sources.opened import check_here, is_address
from tflrepair.tensorflow import keras_models
from tflrepair.tensorflow.convert import convert_saved_model
from tflrepair.tensorflow.save import save as save_module
from tflrepair.tensorflow.save import tracked
from tflrepair.wording import kind_of

if TYPE_CHECKING:
    from tflrepair.rebuild.requests import NoFlex


def convert(
    source: Any,
    signatures: Mapping[str, Any] | None = None,
    *,
    flex: bool = True,
    batch: int | None = None,
    state: str = "trained",
    keep_flex: Sequence[str] = (),
    progress: Progress = silent,
    **converter_options: Any,
) -> bytes:
    """A .tflite of ``source`` in which every variable has its value.

    Args:
        source: a tf.Module (with Keras 3 or Keras 2 inside, or plain), a keras.Model of any kind
            that was called once, or the path of a SavedModel folder or of a .keras file.
        signatures: key -> tf.function or concrete function. Default: those of the SavedModel; a
            Keras model's call as ``serving_default``; every tf.function of a tf.Module that has an
            input_signature, under its attribute name. For a SavedModel, key -> its own key.
        flex: whether TensorFlow operators that no stock runtime has may stay. False: they are
            written in builtin ones, as ``fix --no-flex`` does; signatures that read or write
            checkpoints give way to ``get_weights`` and ``set_weights``.
        batch: with ``flex=False``, the open first dimension of the training signatures.
        state: with ``flex=False``, ``trained`` or ``all``: the variables of ``get_weights``.
        keep_flex: with ``flex=False``, signatures that keep their TensorFlow operators.
        progress: told (step, 0, 0), the converter's own steps among them.
        converter_options: attributes of tf.lite.TFLiteConverter, such as
            ``optimizations=[tf.lite.Optimize.DEFAULT]``. Resource variables are always on, and
            TensorFlow operators are allowed unless ``target_spec`` is given. The converter runs
            in a child process, so they must be picklable; a ``representative_dataset`` need not
            be, since it is run through here and its samples are handed over.

    Raises:
        UserError: there is no SavedModel, no signatures, an option that the converter lacks or that
            cannot be pickled, or a representative dataset that fails.
        UnsupportedError: TensorFlow is not installed, cannot save or convert the source, or dies
            while it converts.
        RefusedError: the result would be broken; the message lists the findings.
    """
    options = no_flex(flex, batch, state, keep_flex, converter_options)
    check_here(source)
    return _converted(source, signatures, options, progress, converter_options).data


@dataclass(frozen=True)
class Conversion:
    """A new .tflite file, and what was done beyond its conversion, in words."""

    data: bytes = field(repr=False)
    notes: tuple[str, ...]


def _converted(
    source: Any,
    signatures: Mapping[str, Any] | None,
    options: NoFlex | None,
    progress: Progress,
    converter_options: Mapping[str, Any],
) -> Conversion:
    _require_tensorflow()
    with workspace() as place:
        folder = place / "saved_model"
        progress("tracing and saving", 0, 0)
        if isinstance(source, str | os.PathLike) and not _is_saved_model(Path(source)):
            source = keras_models.load(Path(source))
        if isinstance(source, str | os.PathLike):
            functions = _save_again(Path(source), signatures, folder)
        else:
            holder = _holder(source)
            functions = _functions(source, signatures)
            with tracked(holder, functions):
                save_module(holder, folder, functions)
        keys = list(functions)
        hint = _advice(keys, functions.values(), converter_options)
        # What Flex does not take either, such as Erfc, waits as a custom operator to be lowered.
        first = converter_options if options is None else {"allow_custom_ops": True}
        found = convert_saved_model(folder, keys, first, hint=hint, progress=progress)
        data = unique_names(found)
    notes: tuple[str, ...] = ()
    if options is not None:
        progress("rewriting without Flex", 0, 0)
        data, notes = without_flex(data, options)
    progress("checking the result", 0, 0)
    result = scan(from_bytes(data))
    errors = [f"{f.code} {f.message}" for f in result.findings if f.severity == Severity.ERROR]
    if errors:
        raise RefusedError("\n  ".join(["the converted model would be broken:", *errors]))
    return Conversion(data, notes)


def convert_to_file(
    source: str | Path,
    out: Path,
    signatures: Sequence[str] | None,
    init_kwargs: Mapping[str, Any],
    force: bool,
    progress: Progress = silent,
    options: NoFlex | None = None,
) -> Conversion:
    """Convert a SavedModel folder or .keras file (a Path) or ``file.py:Class`` (a str) to ``out``.

    ``options``: those of ``flex=False``.

    Returns:
        What was written.

    Raises:
        As ``convert``; UserError too where ``out`` exists, and for a class that cannot be built.
    """
    check_free(out, force)
    check_here(source)
    if options is not None:
        options.check()
    if isinstance(source, Path) and not mode_of(source):
        raise UserError(f"{source} does not exist", hint="give a SavedModel or a .keras file")
    _require_tensorflow()
    module: Any = source
    wanted = None if signatures is None else {key: key for key in signatures}
    if isinstance(source, str) and not is_address(source):
        from tflrepair.rebuild.origins.user_module import build_module

        module = build_module(source, init_kwargs)
        if wanted is not None:
            lacking = [key for key in wanted if not hasattr(module, key)]
            if lacking:
                raise UserError(f"{source} has no function {', '.join(lacking)}")
            wanted = {key: getattr(module, key) for key in wanted}
    made = _converted(module, wanted, options, progress, {})
    write(out, made.data, force)
    return made


def _require_tensorflow() -> None:
    import importlib.util

    if importlib.util.find_spec("tensorflow") is None:
        raise UnsupportedError(
            "TensorFlow is not installed, so nothing can be converted",
            hint="pip install 'tflrepair[tf]'",
        )


def _is_saved_model(source: Path) -> bool:
    """Anything but the file of a Keras model; what is wrong with it shows when it is loaded."""
    return is_folder(source) or source.suffix not in (".keras", ".h5", ".hdf5")


def _save_again(source: Path, signatures: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    from tflrepair.rebuild.origins.saved_model import load_saved_model

    loaded = load_saved_model(source)
    available = dict(loaded.signatures)
    wanted = dict(signatures) if signatures is not None else {key: key for key in available}
    lacking = sorted(str(key) for key in wanted.values() if key not in available)
    if lacking or not wanted:
        raise UserError(
            f"the SavedModel has no signature {', '.join(lacking) or 'at all'}",
            where=str(source),
            hint=f"it has: {', '.join(available) or 'none'}",
        )
    functions = {key: available[theirs] for key, theirs in wanted.items()}
    save_module(loaded, folder, functions)
    return functions


def _functions(source: Any, signatures: Mapping[str, Any] | None) -> dict[str, Any]:
    """Concrete functions by signature key."""
    if signatures is None:
        found = _default_functions(source)
        if not found:
            raise UserError(
                "the module has no tf.function with an input_signature",
                hint="name the functions: signatures={'infer': module.infer}",
            )
    else:
        found = dict(signatures)
    concrete = {}
    for key, function in found.items():
        try:
            traced = hasattr(function, "get_concrete_function")
            concrete[key] = function.get_concrete_function() if traced else function
        except (TypeError, ValueError) as error:
            raise UserError(
                f"signature {key!r} cannot be traced: {_first_line(error)}",
                hint="give it an input_signature, or pass function.get_concrete_function(...)",
            ) from error
    return concrete


def _default_functions(source: Any) -> dict[str, Any]:
    import tensorflow as tf

    if keras_models.is_keras_model(source):
        return {"serving_default": keras_models.serving(source)}
    return {
        name: value
        for name in dir(type(source))
        if not name.startswith("__")
        and isinstance(
            value := getattr(source, name, None), tf.types.experimental.PolymorphicFunction
        )
        and value.input_signature is not None
    }


def _holder(source: Any) -> Any:
    """A tf.Module that can be saved: the source itself, or one around a Keras 3 model."""
    import tensorflow as tf

    if isinstance(source, tf.Module):
        return source
    if not keras_models.is_keras_model(source):
        raise UserError(
            f"{kind_of(source)} is not a tf.Module, not a keras.Model, and not the path of a "
            "SavedModel or a .keras file"
        )
    holder = tf.Module()
    holder.model = keras_models.trackable(source)
    return holder


def _advice(keys: Sequence[str], functions: Iterable[Any], options: Mapping[str, Any]) -> str:
    """What to try where the converter refuses this, or dies of it."""
    if options.get("representative_dataset") is not None and keras_models.has_loops(functions):
        return (
            "the quantizer fails on some loops: build recurrent layers with unroll=True, which "
            "leaves no loops"
        )
    if len(keys) > 1:
        return (
            "convert its signatures one by one, which shows the one that fails, or with another "
            "version of TensorFlow"
        )
    return "try another version of TensorFlow, or leave out converter options"


def _first_line(error: Exception) -> str:
    """The line that says what happened: the last one where TensorFlow shows the user's code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    which = -1 if lines and lines[0].startswith("in user code") else 0
    return (lines or [type(error).__name__])[which][:300]
