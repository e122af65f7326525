"""Two aligned operators side by side: options, inputs, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tflrepair.commands.diff.align import Traits, align
from tflrepair.commands.diff.constants import behind, compare, unpacks
from tflrepair.commands.diff.result import Change, OperatorChange, SubgraphDiff
from tflrepair.format import schema
from tflrepair.graph.subgraph import Operator
from tflrepair.views.options import SUBGRAPH_FIELDS, options
from tflrepair.views.tensors import INPUT, SubgraphView, TensorView
from tflrepair.wording import dimensions, plural

_ASSIGNS = schema.BuiltinOperator.ASSIGN_VARIABLE


def compare_subgraphs(a: SubgraphView, b: SubgraphView, label: str) -> SubgraphDiff:
    """Align and compare all operators of two subgraphs."""
    left, right = _working(a), _working(b)
    places = align([_traits(a, o) for o in left], [_traits(b, o) for o in right])
    pairs = [(left[i].index, right[j].index) for i, j in places]
    case = _Pairing(a, b, dict(pairs))
    changed = []
    renamed = 0
    for i, j in pairs:
        changes = tuple(case.changes(a.operator(i), b.operator(j)))
        if changes:
            changed.append(OperatorChange(a.operator(i), b.operator(j), changes))
        renamed += _output_name(a, a.operator(i)) != _output_name(b, b.operator(j))
    known_a, known_b = {i for i, _ in pairs}, {j for _, j in pairs}
    return SubgraphDiff(
        a=a.subgraph.index,
        b=b.subgraph.index,
        label=label,
        pairs=tuple(pairs),
        removed=tuple(o for o in left if o.index not in known_a),
        inserted=tuple(o for o in right if o.index not in known_b),
        changed=tuple(changed),
        ports=tuple(case.ports()),
        renamed=renamed,
        unpacking=(
            a.subgraph.operator_count - len(left), b.subgraph.operator_count - len(right)
        ),
    )  # fmt: skip


def _working(view: SubgraphView) -> list[Operator]:
    """All operators but those that only unpack constants, which stand anywhere."""
    return [o for o in view.subgraph.operators if not unpacks(view, o)]


def _output_name(view: SubgraphView, operator: Operator) -> str:
    if not operator.outputs or operator.outputs[0] < 0:
        return ""
    return view.subgraph.tensor(operator.outputs[0]).name


def _traits(view: SubgraphView, operator: Operator) -> Traits:
    outputs = tuple(view.subgraph.tensor(t).shape for t in operator.outputs if t >= 0)
    values = options(view.model, operator).values
    told = tuple((k, repr(v)) for k, v in values.items() if k not in SUBGRAPH_FIELDS)
    return Traits(operator.name, _output_name(view, operator), outputs, told)


class _Pairing:
    def __init__(self, a: SubgraphView, b: SubgraphView, pairs: dict[int, int]) -> None:
        self.a, self.b, self.pairs = a, b, pairs
        self.partners = {j: i for i, j in pairs.items()}

    def changes(self, left: Operator, right: Operator) -> Iterator[Change]:
        yield from self._options(left, right)
        if len(left.inputs) != len(right.inputs):
            yield Change("number of inputs", str(len(left.inputs)), str(len(right.inputs)))
        for place, (i, j) in enumerate(zip(left.inputs, right.inputs, strict=False)):
            yield from self._input(place, i, j, raw=left.code == _ASSIGNS)
        if len(left.outputs) != len(right.outputs):
            yield Change("number of outputs", str(len(left.outputs)), str(len(right.outputs)))
        for place, (i, j) in enumerate(zip(left.outputs, right.outputs, strict=False)):
            if i >= 0 and j >= 0:
                yield from types(f"output {place}", self.a.tensor(i), self.b.tensor(j))

    def _options(self, left: Operator, right: Operator) -> Iterator[Change]:
        x, y = options(self.a.model, left), options(self.b.model, right)
        if x.kind != y.kind:
            yield Change("options", x.kind or "none", y.kind or "none")
        for key in dict.fromkeys([*x.values, *y.values]):
            p, q = x.values.get(key), y.values.get(key)
            if key not in SUBGRAPH_FIELDS and repr(p) != repr(q):
                yield Change(f"option {key}", _text(p), _text(q))

    def _input(self, place: int, i: int, j: int, raw: bool) -> Iterator[Change]:
        if i < 0 or j < 0:
            if i != j:
                yield Change.of(
                    f"input {place}", ("left out" if t < 0 else "given" for t in (i, j))
                )
            return
        yield from self._tensors(f"input {place}", i, j, raw)

    def _tensors(self, what: str, i: int, j: int, raw: bool) -> Iterator[Change]:
        """Constants by their values, others by the operators that make them."""
        x, y = behind(self.a, i), behind(self.b, j)
        if x is not None and y is not None:
            name = x.tensor.name or y.tensor.name
            change = compare(self.a.model, x, self.b.model, y, what, name, raw=raw)
            if change is not None:
                yield change
        elif x is not None or y is not None:
            yield Change.of(what, ("computed" if t is None else "a constant" for t in (x, y)))
        elif not self._same_source(i, j):
            yield Change(f"{what} comes from", self._source(self.a, i), self._source(self.b, j))

    def _same_source(self, i: int, j: int) -> bool:
        """Whether aligned operators (or the same inputs) make both tensors.

        One that only one side has, and what it brings about, is told as inserted or removed.
        """
        p, q = self.a.makers.get(i), self.b.makers.get(j)
        if p is None and q is None:
            inputs, others = self.a.subgraph.inputs, self.b.subgraph.inputs
            if i in inputs and j in others:
                return inputs.index(i) == others.index(j)
            return (i in inputs) == (j in others)
        if (p is not None and p not in self.pairs) or (q is not None and q not in self.partners):
            return True
        if p is None or q is None:
            return False
        left, right = self.a.operator(p).outputs, self.b.operator(q).outputs
        return self.pairs[p] == q and left.index(i) == right.index(j)

    def _source(self, view: SubgraphView, index: int) -> str:
        maker = view.makers.get(index)
        if maker is not None:
            return f"operator {maker} {view.operator(maker).name}"
        role = view.tensor(index).role
        return f"input {view.subgraph.inputs.index(index)}" if role == INPUT else role

    def ports(self) -> Iterator[Change]:
        """Inputs and outputs of the subgraphs, by position."""
        for side in ("inputs", "outputs"):
            left, right = getattr(self.a.subgraph, side), getattr(self.b.subgraph, side)
            if len(left) != len(right):
                yield Change(f"number of {side}", str(len(left)), str(len(right)))
            for place, (i, j) in enumerate(zip(left, right, strict=False)):
                what = f"{side[:-1]} {place} of the subgraph"
                if side == "inputs":  # outputs are told with the operators that make them
                    yield from types(what, self.a.tensor(i), self.b.tensor(j))
                else:
                    yield from self._tensors(what, i, j, False)


def types(what: str, x: TensorView, y: TensorView) -> Iterator[Change]:
    """Type, shape and quantization of two tensors."""
    p, q = (f"{t.dtype} {dimensions(t.open_shape)}" for t in (x, y))
    if p != q:
        yield Change(what, p, q)
    elif _scales(x.quantization) != _scales(y.quantization):
        yield Change(
            f"{what}, quantization", _quantized(x.quantization), _quantized(y.quantization)
        )


def _scales(values: Mapping[str, Any] | None) -> Any:
    """What of a quantization changes values; min and max are notes of the converter."""
    if not values or not (values["scale"] or values["details"]):
        return None
    return values["scale"], values["zero_point"], values["quantized_dimension"], values["details"]


def _quantized(values: Mapping[str, Any] | None) -> str:
    if not values or not values["scale"]:
        return "none" if not values or not values["details"] else str(values["details"]["type"])
    if len(values["scale"]) > 1:
        return f"{plural(len(values['scale']), 'scale')} from {values['scale'][0]:.6g}"
    return f"scale {values['scale'][0]:.6g} zero {(values['zero_point'] or (0,))[0]}"


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
