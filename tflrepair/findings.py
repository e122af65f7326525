"""What every inspection says, whatever it looks at: findings, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an ``error`` makes a result not ok, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a model, as far as it is known; what is None or empty does not matter there.

    Attributes:
        offset: position in the file, in bytes.
        path: the way through the tables, such as ``subgraphs[0].operators[17].inputs``.
        subgraph, operator, tensor, buffer: indices, as the schema counts them.
        signature: key of a signature, or ``subgraph 0`` for a model without.
        variable: shared name of a resource variable.
    """

    offset: int | None = None
    path: str = ""
    subgraph: int | None = None
    operator: int | None = None
    tensor: int | None = None
    buffer: int | None = None
    signature: str | None = None
    variable: str | None = None

    def __str__(self) -> str:
        parts = [
            f"{name} {value}"
            for name in ("subgraph", "operator", "tensor", "buffer")
            if (value := getattr(self, name)) is not None
        ]
        if not parts and self.path:
            parts.append(self.path)
        if self.offset is not None:
            parts.append(f"byte {self.offset}")
        return ", ".join(parts)


NOWHERE = Location()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an inspection found.

    Attributes:
        code: ``TFR001`` and so on of a check; for a run of the model, a kind such as ``crash``.
        message: what is wrong and why it matters.
        hint: what to do next; empty where another finding says it.
        inputs: which inputs showed it, where the model was run: ``zeros``, ``random``, ``given``.
        variables: shared names of all variables that it is about; the message names some.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    location: Location = field(default=NOWHERE)
    inputs: str = ""
    variables: tuple[str, ...] = ()

    @property
    def is_problem(self) -> bool:
        return self.severity == Severity.ERROR
