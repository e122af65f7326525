"""Options that several commands take, and how their texts are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflrepair.cli.output import Format
from tflrepair.errors import UserError
from tflrepair.opening import read_small

_LONGEST_MAP = 1 << 22  # bytes; 10,000 variables take 1 MB

if TYPE_CHECKING:
    from tflrepair.rebuild.requests import NoFlex

FormatOption = Annotated[Format, typer.Option("--format", help="text or json")]
ForceOption = Annotated[bool, typer.Option("--force", help="replace OUT if it exists")]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="also exit with 1 if a signature could not be run")
]
AllOption = Annotated[bool, typer.Option("--all", help="leave nothing out of lists")]
InitKwargsOption = Annotated[
    str | None,
    typer.Option("--init-kwargs", metavar="JSON", help="keyword arguments for CLASS"),
]
StateOption = Annotated[
    str | None,
    typer.Option("--state", metavar="all|trained", help="what get_weights and set_weights hold"),
]


@dataclass(frozen=True)
class Values:
    """Where the values of variables come from; see ``grouped``."""

    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", "-w", metavar="FILE", help="a file of weights; may be repeated"),
    ] = None
    map_file: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE", help="JSON: shared name -> path of a weight"),
    ] = None
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="VALUE for every element of a variable"),
    ] = None
    learning_rate: Annotated[
        str | None,
        typer.Option("--learning-rate", metavar="RATE", help="for every optimizer that needs one"),
    ] = None
    by_name: Annotated[
        bool, typer.Option("--by-name", help="the names in FILE are the model's own")
    ] = False
    allow_rounding: Annotated[
        bool, typer.Option("--allow-rounding", help="round float64 weights to float32 variables")
    ] = False
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="NAME", help="take a match in spite of this doubt"),
    ] = None

    @property
    def sets(self) -> dict[str, str]:
        return parse_sets(self.set_values or [])

    @property
    def mapping(self) -> dict[str, str] | None:
        return read_map(self.map_file) if self.map_file else None


@dataclass(frozen=True)
class WithoutFlex:
    """``--no-flex`` and what belongs to it; see ``grouped``."""

    no_flex: Annotated[
        bool,
        typer.Option("--no-flex", help="write training in builtin operators: no Flex delegate"),
    ] = False
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", help="with --no-flex: fix the open batch")
    ] = None
    state: StateOption = None
    keep_flex: Annotated[
        list[str] | None,
        typer.Option("--keep-flex", metavar="NAME", help="a signature that keeps Flex; repeatable"),
    ] = None

    @property
    def asked(self) -> NoFlex | None:
        """None without ``--no-flex``."""
        return no_flex_options(self.no_flex, self.batch, self.state, self.keep_flex)


def no_flex_options(
    no_flex: bool, batch: int | None, state: str | None, keep: list[str] | None
) -> NoFlex | None:
    """What --no-flex and its companions ask for; None without it."""
    from tflrepair.passes.add_state.plan import TRAINED
    from tflrepair.rebuild.requests import NoFlex

    if not no_flex:
        if batch is not None or state is not None or keep:
            raise UserError("--batch, --state and --keep-flex belong to --no-flex")
        return None
    return NoFlex(batch, state or TRAINED, tuple(keep or ()))


def json_object(text: str, name: str) -> dict[str, Any]:
    """``text`` as a JSON object; ``name`` is the option or file that it comes from."""
    import json

    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise UserError(f"{name} must be a JSON object")
    return data


def parse_sets(options: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` options as a dictionary. A name may itself contain ``=``: the last counts."""
    values: dict[str, str] = {}
    for option in options:
        name, equals, value = option.rpartition("=")
        if not equals or not name:
            raise UserError(f"--set {option!r} is not NAME=VALUE")
        if name in values and values[name] != value:
            raise UserError(f"--set gives {name!r} two values: {values[name]} and {value}")
        values[name] = value
    return values


def read_map(path: str) -> dict[str, str]:
    """The JSON object in ``path``: shared name -> path of a weight."""
    try:
        text = read_small(path, _LONGEST_MAP).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"the map cannot be read: {error}", where=path) from None
    data = json_object(text, f"the map {path}")
    if not all(isinstance(value, str) for value in data.values()):
        raise UserError("the map must be a JSON object of names to names", where=path)
    return data
