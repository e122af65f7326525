"""Rebuilding without Flex operators, as a pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tflrepair.analysis.context import AnalysisContext
from tflrepair.passes.graft.graft import check_grafted
from tflrepair.passes.graft.unique_names import unique_names
from tflrepair.rebuild.lower.agreement import check_training
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
        data, notes = lower_and_compare(before, self.options, work)
        return Change(Converted(data), "\n".join(notes))

    def ensures(self, before: AnalysisContext, after: AnalysisContext) -> None:
        check_grafted(after)
        check_agreement(before, after)


def lower_and_compare(
    before: AnalysisContext, options: NoFlex, work: Path
) -> tuple[bytes, list[str]]:
    """The file without Flex, whose training agrees with TensorFlow's kernels, and the notes.

    Args:
        before: a model that is a file.
        work: a folder for a draft, whose bytes are those that are compared and returned.

    Raises:
        As ``lower_flex`` and ``check_training``.
    """
    from tflrepair.rebuild.lower.convert import lower_flex

    lowered = lower_flex(before, {}, options)
    data = unique_names(lowered.data)
    draft = work / "lowered.tflite"
    draft.write_bytes(data)
    old = Path(str(before.model.path))
    compared = check_training(before, old, draft, lowered)
    return data, [*lowered.notes, *compared]
