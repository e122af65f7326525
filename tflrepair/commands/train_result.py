"""What ``train`` showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tflrepair.notebook import Presentable
from tflrepair.wording import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class TrainResult(Presentable):
    """What training showed.

    Attributes:
        losses: as the signature gave them, one for each step.
        seconds: that each step took.
        state: the variables at the end, by name; empty if nothing asked for them.
        out: path of the trained model; None if none was written.
        unfit: if the loss did not stay finite: what of the data is not finite either.
    """

    model: str
    signature: str
    batch: int
    losses: tuple[float, ...]
    seconds: tuple[float, ...]
    state: Mapping[str, NDArray[Any]] = field(repr=False)
    out: str | None = None
    unfit: tuple[str, ...] = ()

    def headline(self) -> str:
        steps = len(self.losses)
        told = f", loss {self.begins:.4g} -> {self.ends:.4g}" if steps else ""
        return f"{self.model}: {plural(steps, 'step')} of `{self.signature}`{told}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each step."""
        pairs = zip(self.losses, self.seconds, strict=False)
        return [
            {"step": step, "loss": loss, "seconds": seconds}
            for step, (loss, seconds) in enumerate(pairs)
        ]

    @property
    def finite(self) -> bool:
        from math import isfinite

        return all(map(isfinite, self.losses))

    @property
    def advice(self) -> str:
        """What to do about a loss that is not finite."""
        if self.unfit:
            return f"{'; '.join(self.unfit)}: clean the data"
        return "the data are finite: scale the inputs, or lower the learning rate"

    @property
    def begins(self) -> float:
        """The mean loss of the first tenth of the steps."""
        part = max(1, len(self.losses) // 10)
        return sum(self.losses[:part]) / part

    @property
    def ends(self) -> float:
        """The mean loss of the last tenth."""
        part = max(1, len(self.losses) // 10)
        return sum(self.losses[-part:]) / part

    @property
    def ok(self) -> bool:
        """Whether the loss stayed finite and fell (one step only has to be finite)."""
        return self.finite and (len(self.losses) == 1 or self.ends < self.begins)
