"""All that is computed of one file, each thing once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, cast

from tflrepair.analysis.checkpoints import NamedTensors, named_tensors
from tflrepair.analysis.variables import Analysis, analyse
from tflrepair.containers.find import load_model
from tflrepair.errors import TflRepairError
from tflrepair.graph.calls import CallGraph
from tflrepair.graph.model import Model, Source

T = TypeVar("T")


def context_of(source: AnalysisContext | Source) -> AnalysisContext:
    """The context of a model or a file: a new one, unless it is one. Raises as ``load_model``."""
    return source if isinstance(source, AnalysisContext) else AnalysisContext(load_model(source))


@dataclass(frozen=True, eq=False)
class AnalysisContext:
    """A model and what is known of it. One for each distinct file; it is handed on, not remade.

    Errors of the properties name the file. BadFileError and UnsupportedError are as ``analyse``,
    ``named_tensors`` and ``CallGraph`` say.
    """

    model: Model
    _known: dict[object, object] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def analysis(self) -> Analysis:
        """Variables, tables and entry points. Reads every table of the file first."""
        try:
            self.model.walk()
            return analyse(self.model)
        except TflRepairError as error:
            raise self.named(error) from None

    @cached_property
    def checkpoints(self) -> tuple[NamedTensors, ...]:
        """The model's own save and restore operators."""
        try:
            return named_tensors(self.model, self.analysis)
        except TflRepairError as error:
            raise self.named(error) from None

    @cached_property
    def calls(self) -> CallGraph:
        """Which subgraph calls which."""
        return CallGraph(self.model)

    def once(self, compute: Callable[[AnalysisContext], T]) -> T:
        """What ``compute`` of a room above makes of this file; the same when asked again."""
        if compute not in self._known:
            self._known[compute] = compute(self)
        return cast(T, self._known[compute])

    def renamed(self, path: str) -> AnalysisContext:
        """The same file under another name: nothing is computed again."""
        twin = copy(self)
        object.__setattr__(twin, "model", self.model.renamed(path))
        return twin

    def named(self, error: TflRepairError) -> TflRepairError:
        """``error`` with the file's path in front of its place."""
        return error.within(self.model.path) if self.model.path else error
