"""Rebuilding without Flex operators, as a pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.passes.graft.graft import check_grafted
from tflrepair.passes.graft.unique_names import unique_names
from tflrepair.rebuild.rebuild_pass import Converted, check_agreement, require_tensorflow
from tflrepair.rebuild.requests import NoFlex
from tflrepair.rewrite.contract import Change


@dataclass(frozen=True)
class LowerPass:
    """A model that needs no Flex delegate; its variables must have their values."""

    options: NoFlex
    title: str = "rebuilding without Flex"

    def requires(self, before: AnalysisContext) -> None:
        self.options.check()
        require_tensorflow()

    def apply(self, before: AnalysisContext, work: Path) -> Change:
        from tflrepair.rebuild.lower.convert import lower_flex

        lowered = lower_flex(before, {}, self.options)
        return Change(Converted(unique_names(lowered.data)), "\n".join(lowered.notes))

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_grafted(after)
        check_agreement(before, after)
