"""What a caller asks of a rebuild. Cheap to import: every ``fix`` takes these, few rebuild."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tflrepair.errors import UserError


@dataclass(frozen=True)
class Origin:
    """What to rebuild from; with neither of them, the .tflite alone.

    Attributes:
        saved_model: a SavedModel folder; it gives the weights, too, where no others are given.
        module: ``file.py:Class``, whose code is run.
        init_kwargs: keyword arguments of that class.
    """

    saved_model: str | os.PathLike[str] | None = None
    module: str | None = None
    init_kwargs: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class NoFlex:
    """What the caller wants of a model without Flex operators.

    Attributes:
        batch: size of the open first dimension of signatures that have Flex operators; None
            leaves it open.
        state: ``trained``: get_weights and set_weights hold what some signature assigns;
            ``all``: every variable, which keeps all of them variables.
        keep: signatures that keep their Flex operators, checkpoints among them.
    """

    batch: int | None = None
    state: str = "trained"
    keep: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises UserError for a batch or a state that cannot be."""
        from tflrepair.passes.add_state.plan import STATES

        if self.batch is not None and self.batch < 1:
            raise UserError(f"the batch cannot be {self.batch}", hint="give --batch 1 or more")
        if self.state not in STATES:
            raise UserError(f"no state {self.state!r}", hint=f"choose from {', '.join(STATES)}")
