"""The state of a running interpreter as a file: get_weights and set_weights for people.

interpreter = Interpreter("model.tflite")
...train...
tflrepair.save_state(interpreter, "state.npz")          # or state.safetensors
tflrepair.load_state(Interpreter("model.tflite"), "state.npz")
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflrepair.errors import BadFileError, RefusedError, UnsupportedError, UserError
from tflrepair.files import write
from tflrepair.passes.add_state.plan import GET, SET
from tflrepair.wording import kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HINT = "tflrepair add-state MODEL -o OUT adds it"


def save_state(
    interpreter: Any, path: str | os.PathLike[str], *, force: bool = False
) -> tuple[str, ...]:
    """Write what ``get_weights`` returns. Returns the names written.

    Args:
        interpreter: of LiteRT or tf.lite, over a model with ``get_weights``.
        path: ends in ``.npz`` or ``.safetensors``.
        force: replace it if it exists.

    Raises:
        UserError: no interpreter, another suffix, or the file exists.
        UnsupportedError: the model has no ``get_weights``, or safetensors is not installed.
    """
    state = dict(_runner(interpreter, GET)())
    write(Path(path), _packed(state, Path(path)), force)
    return tuple(state)


def load_state(interpreter: Any, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Hand the arrays of ``path`` to ``set_weights``. Returns the names read.

    Raises:
        BadFileError: the file cannot be read.
        RefusedError: it does not have exactly the model's variables, in their shapes and types.
        UserError: no interpreter, or another suffix.
        UnsupportedError: the model has no ``set_weights``, or safetensors is not installed.
    """
    given = _read(Path(path))
    run = _runner(interpreter, SET)
    wanted = run.get_input_details()
    for name in [*wanted, *given]:
        if name not in given or name not in wanted:
            side = "the file lacks" if name not in given else "the model has no variable"
            raise RefusedError(f"{side} {name!r}", where=os.fspath(path))
        shape, dtype = tuple(wanted[name]["shape"]), wanted[name]["dtype"]
        if given[name].shape != shape or given[name].dtype != dtype:
            raise RefusedError(
                f"{name!r} is {given[name].dtype}{list(given[name].shape)} in the file, but "
                f"{dtype.__name__}{list(shape)} in the model",
                where=os.fspath(path),
            )
    run(**given)
    return tuple(given)


def _runner(interpreter: Any, key: str) -> Any:
    if not hasattr(interpreter, "get_signature_list"):
        raise UserError(
            f"{kind_of(interpreter)} is not an interpreter",
            hint="give the Interpreter of LiteRT or tf.lite that has the state",
        )
    if key not in interpreter.get_signature_list():
        raise UnsupportedError(f"the model has no signature {key}", hint=_HINT)
    return interpreter.get_signature_runner(key)


def _packed(state: Mapping[str, NDArray[Any]], path: Path) -> bytes:
    import io

    import numpy as np

    if path.suffix == ".safetensors":
        return bytes(_safetensors().save({k: np.asarray(v, order="C") for k, v in state.items()}))
    if path.suffix != ".npz":
        raise UserError("a state is written as .npz or .safetensors", where=str(path))
    stream = io.BytesIO()
    arrays: dict[str, Any] = dict(state)
    if {"file", "allow_pickle"} & arrays.keys():  # what numpy calls its own arguments
        raise UserError("an .npz cannot hold a variable of this name", hint="use .safetensors")
    np.savez(stream, **arrays)
    return stream.getvalue()


def _read(path: Path) -> dict[str, NDArray[Any]]:
    from tflrepair.execution import inputs

    if path.suffix == ".safetensors":
        library = _safetensors()
        try:
            return dict(library.load(path.read_bytes()))
        except Exception as error:  # the library has a type of its own for each kind of damage
            raise BadFileError(f"cannot be read: {error}", where=str(path)) from None
    if path.suffix != ".npz":
        raise UserError("a state is read from .npz or .safetensors", where=str(path))
    return inputs.read(path, "the state")


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise UnsupportedError(
            "safetensors is not installed", hint="pip install 'tflrepair[safetensors]'"
        ) from None
    return safetensors.numpy
