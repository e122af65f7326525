"""What is in a model: everything, or the operators and tensors that are asked for."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.errors import TflRepairError, UserError
from tflrepair.graph.model import Model, Source
from tflrepair.graph.subgraph import Operator
from tflrepair.notebook import Presentable
from tflrepair.views.metadata import Metadata, metadata
from tflrepair.views.sizes import Sizes, sizes
from tflrepair.views.tensors import SubgraphView, TensorView
from tflrepair.wording import megabytes, plural

AROUND = 3  # operators shown on each side of the one asked for


@dataclass(frozen=True, repr=False)
class Shown(Presentable):
    """A model, opened for looking at, and what was asked for.

    Attributes:
        views: all subgraphs.
        chosen: indices of the subgraphs that are asked for; all without a choice.
        operators, tensors, variables: what the question picks; None where it does not ask for any.
        focus: the operator that ``around`` names.
    """

    context: AnalysisContext
    views: tuple[SubgraphView, ...]
    chosen: tuple[int, ...]
    operators: tuple[Operator, ...] | None = None
    tensors: tuple[TensorView, ...] | None = None
    variables: tuple[Variable, ...] | None = None
    focus: int | None = None

    @property
    def model(self) -> Model:
        return self.context.model

    @property
    def analysis(self) -> Analysis:
        return self.context.analysis

    def headline(self) -> str:
        count = sum(view.subgraph.operator_count for view in self.views)
        return (
            f"{self.model.path or 'model'}: {plural(count, 'operator')}, "
            f"{megabytes(self.model.size)}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """A row for each tensor asked for, else for each operator."""
        if self.tensors is not None:
            return [
                {
                    "subgraph": t.subgraph, "index": t.index, "name": t.name, "dtype": t.dtype,
                    "shape": list(t.open_shape), "role": t.role, "bytes": t.stored,
                }
                for t in self.tensors
            ]  # fmt: skip
        operators = self.operators
        if operators is None:
            operators = tuple(o for n in self.chosen for o in self.views[n].subgraph.operators)
        return [self._row(operator) for operator in operators]

    def _row(self, operator: Operator) -> dict[str, Any]:
        graph = self.views[operator.subgraph].subgraph
        output = next((graph.tensor(t) for t in operator.outputs if t >= 0), None)
        return {
            "subgraph": operator.subgraph,
            "index": operator.index,
            "kind": operator.name,
            "output": output.name if output else "",
            "dtype": output.dtype if output else "",
            "shape": list(output.shape) if output else [],
        }

    @property
    def is_overview(self) -> bool:
        return self.operators is None and self.tensors is None

    @cached_property
    def sizes(self) -> Sizes:
        return sizes(self.model, self.views)

    @cached_property
    def metadata(self) -> Metadata:
        return metadata(self.model)

    @property
    def parameters(self) -> tuple[int, int]:
        """Elements of (constants that are weights, variables); an initial value is no constant."""
        initial = {v.initial.buffer for v in self.analysis.variables if v.initial is not None}
        constants = sum(n for b, n in self.sizes.parameters.items() if b not in initial)
        return constants, sum(map(_elements, self.analysis.variables))

    def signatures_of(self, subgraph: int) -> tuple[str, ...]:
        return tuple(s.key for s in self.model.signatures if s.subgraph == subgraph)


def _elements(variable: Variable) -> int:
    shape = variable.shape
    return prod(shape) if shape is not None and min(shape, default=0) >= 0 else 0


def show(
    model: AnalysisContext | Source,
    *,
    subgraph: int | None = None,
    signature: str | None = None,
    op: str | None = None,
    tensor: str | None = None,
    around: int | None = None,
) -> Shown:
    """Open a model and pick what is asked for.

    Args:
        subgraph, signature: look only there.
        op: kind of operator, such as ``CONV_2D``; case does not matter, ``*`` stands for anything.
        tensor: a tensor's or variable's name, ``#`` and a tensor's index, or a part of a name.
        around: an operator's index; it and its neighbours.

    Raises:
        UserError: there is nothing with that name; the message lists similar names.
        BadFileError: the file is damaged or not a .tflite file.
    """
    context = context_of(model)
    _ = context.analysis
    opened = context.model
    try:
        views = tuple(SubgraphView(opened, n) for n in range(len(opened.subgraphs)))
        picked = Shown(context, views, _chosen(opened, subgraph, signature))
        if tensor is not None:
            return _with_tensors(picked, tensor)
        if around is not None:
            return _with_neighbours(picked, around)
        return picked if op is None else _with_kind(picked, op)
    except TflRepairError as error:
        raise context.named(error) from None


def _chosen(model: Model, subgraph: int | None, signature: str | None) -> tuple[int, ...]:
    if signature is not None:
        found = [row.subgraph for row in model.signatures if row.key == signature]
        if not found:
            keys = ", ".join(row.key for row in model.signatures)
            hint = f"it has {keys}" if keys else "it has no signatures at all"
            raise UserError(f"the model has no signature {signature!r}", hint=hint)
        return tuple(found)
    if subgraph is None:
        return tuple(range(len(model.subgraphs)))
    if not 0 <= subgraph < len(model.subgraphs):
        last = len(model.subgraphs) - 1
        raise UserError(f"there is no subgraph {subgraph}", hint=f"they are 0 to {last}")
    return (subgraph,)


def _with_kind(shown: Shown, kind: str) -> Shown:
    operators = [o for n in shown.chosen for o in shown.views[n].subgraph.operators]
    wanted = kind.upper()
    found = [o for o in operators if fnmatch.fnmatchcase(o.name.upper(), wanted)]
    if not found:
        names = sorted({o.name for o in operators})
        near = _near(kind.upper(), names) or ", ".join(map(repr, names[:5])) or "none"
        raise UserError(f"there is no operator {kind!r} here", hint=f"there are {near}")
    return replace(shown, operators=tuple(found))


def _with_neighbours(shown: Shown, around: int) -> Shown:
    view = shown.views[shown.chosen[0]]
    operators = view.subgraph.operators
    if not 0 <= around < len(operators):
        raise UserError(
            f"subgraph {view.subgraph.index} has no operator {around}",
            hint=f"they are 0 to {len(operators) - 1}" if operators else "it has no operators",
        )
    row = operators[max(0, around - AROUND) : around + AROUND + 1]
    return replace(shown, chosen=(view.subgraph.index,), operators=row, focus=around)


def _with_tensors(shown: Shown, name: str) -> Shown:
    tensors, variables = find_tensors(shown, name)
    return replace(shown, tensors=tuple(tensors), variables=tuple(variables))


def find_tensors(shown: Shown, name: str) -> tuple[list[TensorView], list[Variable]]:
    """Tensors and variables of this name: exactly, else by glob or as a part of their names.

    Raises:
        UserError: nothing has such a name.
    """
    if name.startswith("#") and name[1:].isdecimal():
        view = shown.views[shown.chosen[0]]
        if int(name[1:]) >= view.subgraph.tensor_count:
            raise UserError(
                f"subgraph {view.subgraph.index} has no tensor {name}",
                hint=f"they are #0 to #{view.subgraph.tensor_count - 1}",
            )
        return [view.tensor(int(name[1:]))], []
    known = [
        (view, number, view.subgraph.tensor(number).name)
        for view in (shown.views[n] for n in shown.chosen)
        for number in range(view.subgraph.tensor_count)
    ]
    everything = shown.analysis.variables
    for fits in (_exactly(name), _roughly(name)):
        tensors = [view.tensor(number) for view, number, text in known if fits(text)]
        variables = [variable for variable in everything if fits(variable.name)]
        if tensors or variables:
            return tensors, variables
    near = _near(name, {text for _, _, text in known} | {v.name for v in everything})
    hint = f"there are {near}" if near else "`tflrepair show MODEL --all` lists the names"
    raise UserError(f"no tensor or variable is called {name!r}", hint=hint)


def _exactly(name: str) -> Callable[[str], bool]:
    return lambda text: text == name


def _roughly(name: str) -> Callable[[str], bool]:
    if any(mark in name for mark in "*?"):
        return lambda text: fnmatch.fnmatchcase(text, name)
    return lambda text: name.lower() in text.lower()


def _near(name: str, names: Iterable[str]) -> str:
    """The names most like ``name``; empty where none is like it."""
    rows = sorted(set(names))
    if len(rows) > 5000:  # difflib compares with each
        rows = rows[:5000]
    return ", ".join(map(repr, difflib.get_close_matches(name, rows, 5, 0.3)))
