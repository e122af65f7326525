"""Rebuilding from the user's own Python module. This runs the user's code.

What Keras hides from the converter are the tf.Variables inside its own variables; once the module
tracks them, they are saved and converted like any other.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.errors import UserError
from tflrepair.graph.model import Model, Signature
from tflrepair.graph.subgraph import Tensor
from tflrepair.opening import is_file
from tflrepair.rebuild.ir.tensor_facts import dtype_of
from tflrepair.rebuild.origins.live_names import pair_by_name, set_values
from tflrepair.rebuild.origins.reconvert import checked, save_and_convert
from tflrepair.rebuild.origins.saved_model import captured, named
from tflrepair.rebuild.run.starting_values import Values


def rebuild_from_module(
    source: AnalysisContext | Model, target: str, values: Values, init_kwargs: Mapping[str, Any]
) -> bytes:
    """Build the class ``target`` (``path/to/file.py:ClassName``), set its weights, convert it.

    Args:
        values: by resource; variables of the same names are set, the others keep what the
            class gave them.
        init_kwargs: what the class's ``__init__`` takes.

    Raises:
        UserError: the file does not import, the class is not there, needs other arguments, fails,
            is no tf.Module, or lacks a tf.function for a signature of ``model``.
        RefusedError: a value fits no variable, or the converted file is not like ``model``.
        UnsupportedError: TensorFlow cannot convert it.
    """
    context = context_of(source)
    model = context.model
    module = build_module(target, init_kwargs)
    functions = {s.key: _concrete(model, module, s) for s in model.signatures}
    if not functions:
        raise UserError(
            "the model has no signatures, so it is unclear which functions to convert",
            hint="convert the module with tflrepair convert",
        )
    variables = captured(functions.values())
    if values:
        set_values(pair_by_name(named(context, values), variables, renumbered=True), values)
    module._tflrepair_raw = variables
    return checked(save_and_convert(module, functions, model), model)


def build_module(target: str, init_kwargs: Mapping[str, Any]) -> Any:
    """An object of the class ``target``; this imports, and so runs, its file.

    Raises:
        UserError: the file does not import, or the class is not there, needs other arguments,
            fails, or is no tf.Module.
    """
    path, _, name = target.rpartition(":")
    if not path or not name.isidentifier():
        raise UserError(f"{target!r} is not of the form path/to/file.py:ClassName")
    return _build(_import(Path(path)), name, init_kwargs)


def _import(path: Path) -> ModuleType:
    if not is_file(path):
        raise UserError("there is no such file", where=str(path))
    name = f"_tflrepair_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError("is not a Python file", where=str(path))
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.modules[name] = module  # dataclasses and the like look their module up
    sys.path.insert(0, folder)  # as if it were run as a script
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"cannot be imported: {_described(error)}", where=str(path)) from error
    finally:
        sys.path.remove(folder)
    return module


def _build(source: ModuleType, name: str, init_kwargs: Mapping[str, Any]) -> Any:
    import tensorflow as tf

    there = [k for k, v in vars(source).items() if isinstance(v, type) and issubclass(v, tf.Module)]
    build = getattr(source, name, None)
    if build is None:
        raise UserError(f"has no class {name}; it has: {', '.join(there)}", where=source.__file__)
    if not isinstance(build, type) or not issubclass(build, tf.Module):
        raise UserError(f"{name} is not a subclass of tf.Module", where=source.__file__)
    signature = inspect.signature(build)
    try:
        signature.bind(**init_kwargs)
    except TypeError as error:
        raise UserError(
            f"{name}{signature} cannot be built from {dict(init_kwargs)}: {error}",
            hint="give its arguments with --init-kwargs '{...}'",
        ) from None
    try:
        return build(**init_kwargs)
    except (Exception, SystemExit) as error:
        raise UserError(f"{name} cannot be built: {_described(error)}") from error


def _concrete(model: Model, module: Any, signature: Signature) -> Any:
    """The traced tf.function of ``module`` for ``signature``.

    It has the signature's name; or, where nothing has, it is the only one that takes and returns
    the same names (``serving_default`` is often an alias).

    Raises:
        UserError: there is none, or several, or it cannot be traced.
    """
    functions = _functions(module)
    if signature.key in functions:
        return _trace(model, signature, functions[signature.key], signature.key)
    others = []
    for name, function in functions.items():
        parameters = list(inspect.signature(function.python_function).parameters)
        if sorted(p for p in parameters if p != "self") == sorted(n for n, _ in signature.inputs):
            traced = _trace(model, signature, function, name)
            if _output_names(traced) == sorted(n for n, _ in signature.outputs):
                others.append((name, traced))
    if len(others) != 1:
        found = " and ".join(name for name, _ in others) or "none"
        raise UserError(
            f"the module has no tf.function {signature.key}; functions that take and return the "
            f"same: {found}; all functions: {', '.join(functions) or 'none'}",
            hint=f"name one of them {signature.key}",
        )
    return others[0][1]


def _functions(module: Any) -> dict[str, Any]:
    found = {}
    for name in dir(type(module)) + list(vars(module)):
        value = inspect.getattr_static(module, name, None)
        if hasattr(value, "get_concrete_function"):
            found[name] = getattr(module, name)
    return found


def _trace(model: Model, signature: Signature, function: Any, name: str) -> Any:
    try:
        if function.input_signature is not None:
            return function.get_concrete_function()
        subgraph = model.subgraph(signature.subgraph)
        specs = {n: _spec(n, subgraph.tensor(index)) for n, index in signature.inputs}
        return function.get_concrete_function(**specs)
    except Exception as error:  # the user's code runs here
        raise UserError(f"tf.function {name} cannot be traced: {_described(error)}") from error


def _spec(name: str, tensor: Tensor) -> Any:
    import tensorflow as tf

    shape = [None if size < 0 else size for size in tensor.shape]
    return tf.TensorSpec(shape, dtype_of(tensor), name=name)


def _output_names(traced: Any) -> list[str]:
    outputs = traced.structured_outputs
    return sorted(outputs) if isinstance(outputs, dict) else []


def _described(error: BaseException) -> str:
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first[:300]}"
