"""Two constants side by side, in the real numbers that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

from tflrepair.commands.diff.result import Change
from tflrepair.errors import TflRepairError
from tflrepair.format import schema
from tflrepair.graph.contents import same_bytes
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator
from tflrepair.views.tensors import CONSTANT, SubgraphView, TensorView
from tflrepair.views.values import Array, array, real
from tflrepair.wording import dimensions, share

_UNPACKING = (schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.DENSIFY)


@dataclass(frozen=True)
class Constant:
    """A constant, seen through the operators that only unpack it."""

    tensor: TensorView
    through: tuple[str, ...]

    @property
    def kind(self) -> str:
        steps = "".join(f" through {name}" for name in self.through)
        return f"{self.tensor.dtype} {dimensions(self.tensor.shape)}{steps}"


def behind(view: SubgraphView, index: int) -> Constant | None:
    """The constant that tensor ``index`` is, or is unpacked from; None if it is computed."""
    through: list[str] = []
    while index >= 0 and len(through) < 4:
        tensor = view.tensor(index)
        if tensor.role == CONSTANT:
            return Constant(tensor, tuple(reversed(through)))
        if tensor.maker is None:
            return None
        operator = view.operator(tensor.maker)
        if operator.code not in _UNPACKING or len(operator.inputs) != 1:
            return None
        through.append(operator.name)
        index = operator.inputs[0]
    return None


def unpacks(view: SubgraphView, operator: Operator) -> bool:
    """Whether the operator does nothing but unpack a constant."""
    if operator.code not in _UNPACKING or len(operator.inputs) != 1:
        return False
    return behind(view, operator.inputs[0]) is not None


def compare(
    a: Model, left: Constant, b: Model, right: Constant, what: str, name: str, *, raw: bool = False
) -> Change | None:
    """The difference between two constants; None if they stand for the same numbers.

    ``raw``: without scales. A variable holds bytes; what they stand for its readers say.
    """
    x, y = left.tensor, right.tensor
    same_type = (x.dtype, x.shape) == (y.dtype, y.shape) and left.through == right.through
    scales = raw or x.quantization == y.quantization
    if same_type and scales and _same_bytes(a, x, b, y):
        return None
    try:
        first, second = array(a, x), array(b, y)
    except TflRepairError as error:
        return Change(what, left.kind, f"{right.kind} ({error.message})", name=name)
    if first.shape != second.shape or object in (first.dtype, second.dtype):
        if first.shape != second.shape or first.dtype != second.dtype:
            return Change(what, left.kind, right.kind, name=name)
        return _strings(first, second, what, name)
    if same_type and x.sparsity != y.sparsity:
        where = "other elements are stored"
        return Change(what, f"{left.kind}, sparse", f"{right.kind}, {where}", name=name)
    if not raw:
        first, second = _real(first, x), _real(second, y)
    largest, mean, scale = distance(first, second)
    if largest == 0 and same_type and scales:
        return None
    return Change(what, left.kind, right.kind, largest, mean, scale, name)


def _strings(first: Array, second: Array, what: str, name: str) -> Change | None:
    pairs = list(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))
    other = [place for place, (p, q) in enumerate(pairs) if p != q]
    if not other:
        return None
    p, q = (repr(text[:40].decode("utf-8", "replace")) for text in pairs[other[0]])
    count = share(len(other), len(pairs), "string", "differs", "differ")
    return Change(what, p, f"{q} (string {other[0]}; {count})", name=name)


def _same_bytes(a: Model, x: TensorView, b: Model, y: TensorView) -> bool:
    try:
        return x.sparsity == y.sparsity and same_bytes(a, x.buffer, b, y.buffer)
    except TflRepairError:
        return False


def _real(values: Array, tensor: TensorView) -> Array:
    found = real(values, tensor.quantization)
    return values if found is None else found


def distance(x: Array, y: Array) -> tuple[float, float, float]:
    """(largest, mean) of |x - y|, and the largest |x|. NaN against a number counts as infinite."""
    import numpy as np

    wide = np.complex128 if "c" in x.dtype.kind + y.dtype.kind else np.float64
    if not x.size:
        return 0.0, 0.0, 0.0
    p, q = x.astype(wide), y.astype(wide)
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.where((p == q) | (np.isnan(p) & np.isnan(q)), 0.0, np.abs(p - q))
    off = np.where(np.isnan(off), np.inf, off)
    finite = np.abs(p[np.isfinite(p)])
    return float(off.max()), float(off.mean()), float(finite.max()) if finite.size else 0.0
