"""How a variable that no file of weights holds starts, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass

NO_RATE = "no weights file holds it, and no default is safe"


@dataclass(frozen=True)
class Assumption:
    """Something that a value rests on and that no file says.

    Attributes:
        text: what is assumed, in words.
        option: what to type if it is not so.
    """

    text: str
    option: str


@dataclass(frozen=True)
class Start:
    """How a variable starts.

    At most one of ``value`` (of every element) and ``like`` (shared name of the variable that it
    starts as a copy of) is set; with neither, it must be given, and ``reason`` says why.

    Attributes:
        source: file in which the start is documented.
        slot: what an optimizer calls it, if it keeps one for each variable.
        owner: shared name of the variable that a ``slot`` belongs to, where it is known.
        in_optimizer: whether it is an optimizer's.
        keras2: whether it is called as tf-keras calls it.
        kind: class of the optimizer as Keras names optimizers after it; empty if unknown.
        scope: name of the optimizer, without the number behind it.
        argument: argument of the constructor that makes it start otherwise.
        assumed: what else is assumed, in words, if it is not ``argument``.
        pattern: the option that gives it, and all like it, another start; without the value.
        given: whether the user asked for it.
    """

    reason: str
    value: float | None = None
    like: str | None = None
    source: str = ""
    slot: str = ""
    owner: str | None = None
    in_optimizer: bool = True
    keras2: bool = False
    kind: str = ""
    scope: str = ""
    argument: str = ""
    assumed: str = ""
    pattern: str = ""
    given: bool = False

    @property
    def is_rate(self) -> bool:
        return self.argument == "learning_rate"
