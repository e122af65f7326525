"""How much work an analysis may be: what no sound model needs, and a made one would."""

from __future__ import annotations

from tflrepair.errors import UnsupportedError
from tflrepair.wording import plural

# Steps that every model may take, however small its file is: about a second, 100 MB.
_LEAST = 1_000_000


class Budget:
    """Steps: operators looked at, and rows of what subgraphs read unset and set.

    A subgraph that is called with other handles is walked anew, and each caller takes over what
    its callees read unset; shared subgraphs can make that grow far beyond the file.

    Args:
        size: bytes of the file; a large one may take more steps.
    """

    def __init__(self, size: int) -> None:
        self._most = self._left = max(_LEAST, size)

    def spend(self, steps: int) -> None:
        """Raises UnsupportedError where more steps are taken than allowed."""
        self._left -= steps
        if self._left < 0:
            raise UnsupportedError(
                "following its variables through all calls takes more than "
                f"{plural(self._most, 'step')}",
                hint="no converter makes such a model; it is made to waste time and memory",
            )
