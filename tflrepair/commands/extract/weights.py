"""The initial values of variables, and constants, in one file of arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.variables import Variable
from tflrepair.commands.extract.formats import FORMATS, Rows
from tflrepair.errors import RefusedError, TflRepairError, UserError
from tflrepair.files import atomic, check_no_input
from tflrepair.graph.model import Model, Source
from tflrepair.notebook import Presentable
from tflrepair.views.tensors import SubgraphView, TensorView
from tflrepair.views.values import Array, array
from tflrepair.wording import grouped, plural

# Types that the formats lack, and what carries their values exactly
_WIDENED = {
    "bfloat16": "float32", "int4": "int8", "uint4": "uint8", "int2": "int8",
    "float8_e4m3fn": "float32", "float8_e5m2": "float32",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """An array in the file. ``stored`` is its type there, ``dtype`` the one in the model."""

    name: str
    dtype: str
    stored: str
    shape: tuple[int, ...]
    nbytes: int
    is_variable: bool


@dataclass(frozen=True)
class LeftOut:
    name: str
    reason: str
    is_variable: bool


@dataclass(frozen=True, repr=False)
class ExtractedWeights(Presentable):
    """What was written, and what was not and why."""

    model: Model
    path: str
    size: int
    written: tuple[Written, ...]
    left_out: tuple[LeftOut, ...]

    def headline(self) -> str:
        left = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"{self.path}: {plural(len(self.written), 'array')}{left}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each array, those left out with the reason."""
        found = [
            {"name": w.name, "dtype": w.dtype, "shape": list(w.shape), "bytes": w.nbytes,
             "left_out": None}
            for w in self.written
        ]  # fmt: skip
        return found + [
            {"name": w.name, "dtype": None, "shape": None, "bytes": None, "left_out": w.reason}
            for w in self.left_out
        ]

    @property
    def complete(self) -> bool:
        """Whether every variable has its value in the file."""
        return not any(row.is_variable for row in self.left_out)


def extract_weights(
    model: AnalysisContext | Source,
    out: str | os.PathLike[str],
    *,
    constants: bool = False,
    force: bool = False,
) -> ExtractedWeights:
    """Write the initial values of all variables by their shared names.

    Strings are left out, and ``left_out`` says so: `fix --replace` takes values of variables, and
    the converter (TensorFlow 2.21, with resource variables) writes a string variable that is only
    read as a constant.

    Args:
        out: ``.npz``, ``.safetensors`` or ``.h5``; the suffix decides.
        constants: write constants by tensor name, too. A name that is taken gets ``#2`` behind it.
        force: replace ``out`` if it exists.

    Raises:
        UserError: a suffix that is not a format of arrays, or the output exists.
        RefusedError: there is nothing to write, or a name does not fit the format.
        BadFileError: the model is damaged.
        UnsupportedError: the format's package is not installed.
    """
    path = Path(out)
    save = FORMATS.get(path.suffix)
    if save is None:
        raise UserError(
            f"{path.name!r} is not a file of weights",
            hint=f"end it in {', '.join(FORMATS)}; a part of the model goes to .tflite",
        )
    context = context_of(model)
    _ = context.analysis
    label = context.model.path
    try:
        found = _Found(context)
        found.variables()
        if constants:
            found.constants()
        if not found.rows:
            raise RefusedError(_nothing(found, constants), hint=_hint(found, constants))
    except TflRepairError as error:
        raise context.named(error) from None
    check_no_input(path, [label] if label else [])
    with atomic(path, force) as output:
        draft = output.begin()
        save(draft.stream, found.rows)
        draft.stream.flush()
        size = draft.stream.seek(0, os.SEEK_END)
    return ExtractedWeights(
        context.model, str(path), size, tuple(found.written), tuple(found.left_out)
    )


def _nothing(found: _Found, constants: bool) -> str:
    if found.left_out:
        row = found.left_out[0]
        more = len(found.left_out) - 1
        return f"nothing can be written: {row.name!r}: {row.reason}" + (
            f", and {grouped(more)} more" if more else ""
        )
    return "the model has no constants" if constants else "the model has no variables"


def _hint(found: _Found, constants: bool) -> str:
    if not constants:
        return "--constants writes the constants by tensor name"
    return "`tflrepair show` lists what is in it"


class _Found:
    """Arrays and their names as they are collected; nothing is read before it is written."""

    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        count = len(self.model.subgraphs)
        self.views = tuple(SubgraphView(self.model, n) for n in range(count))
        self.rows: Rows = {}
        self.numbers: dict[str, int] = {}  # the last one that made a repeated name unique
        self.written: list[Written] = []
        self.left_out: list[LeftOut] = []
        self.initial: set[tuple[int, int]] = set()

    def variables(self) -> None:
        for variable in self.context.analysis.variables:
            initial = variable.initial
            if initial is None:
                self.left_out.append(LeftOut(variable.name, _why(variable), True))
                continue
            self.initial.add((initial.target, initial.tensor))
            tensor = self.views[initial.target].tensor(initial.tensor)
            if initial.via == "constant":
                self._add(variable.name, tensor, partial(array, self.model, tensor), True)
            elif tensor.dtype == "float16":
                self._add(variable.name, tensor, partial(self._widened, tensor), True, "float32")
            else:
                reason = f"its initial value is computed from {tensor.dtype}"
                self.left_out.append(LeftOut(variable.name, reason, True))

    def _widened(self, tensor: TensorView) -> Array:
        """What DEQUANTIZE makes of a float16 constant: every float16 is a float32."""
        return array(self.model, tensor).astype("float32")

    def constants(self) -> None:
        seen: set[tuple[int, int]] = set()
        for tensor in self._constant_tensors():
            place = (tensor.subgraph, tensor.index)
            buffer = (tensor.buffer, tensor.external)
            if place in self.initial or buffer in seen:
                continue
            seen.add(buffer)
            name = tensor.name or f"subgraph{tensor.subgraph}/tensor{tensor.index}"
            self._add(name, tensor, partial(array, self.model, tensor), False)

    def _constant_tensors(self) -> Iterator[TensorView]:
        for view in self.views:
            for number in range(view.subgraph.tensor_count):
                if view.is_constant(number):
                    yield view.tensor(number)

    def _add(
        self,
        name: str,
        tensor: TensorView,
        read: Callable[[], Array],
        is_variable: bool,
        stored: str | None = None,
    ) -> None:
        try:
            if tensor.dtype == "string":
                self.left_out.append(LeftOut(name, "strings are not weights", is_variable))
                return
            values = array(self.model, tensor)  # says if it is sound; read again when it is written
        except TflRepairError as error:
            self.left_out.append(LeftOut(name, error.message, is_variable))
            return
        if tensor.sparsity is not None:
            self.left_out.append(LeftOut(name, "stored sparse", is_variable))
            return
        unique = self._unique(name)
        self.rows[unique] = read
        stored = stored or _WIDENED.get(tensor.dtype, tensor.dtype)
        self.written.append(
            Written(unique, tensor.dtype, stored, values.shape, values.nbytes, is_variable)
        )

    def _unique(self, name: str) -> str:
        """``name``, or with the first number that is free; tried from where the last one was."""
        unique = name
        while unique in self.rows:
            self.numbers[name] = number = self.numbers.get(name, 1) + 1
            unique = f"{name}#{number}"
        return unique


def _why(variable: Variable) -> str:
    if variable.assigned_by:
        return "it has no constant initial value"
    return "it has no value in the file"
