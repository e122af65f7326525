"""The optimizers in a file's config: ``compile_config`` of ``.keras``, ``training_config`` of h5.

keras/src/saving/serialization_lib.py writes each object as ``class_name`` and ``config``, the
arguments of its constructor; an optimizer around another one holds it in its own config
(``inner_optimizer``, or in the values of ``optimizer_map``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from tflrepair.weights.types.layer_names import snake_case, split_number
from tflrepair.weights.types.weight import OptimizerConfig, Source

_DEEPEST = 20
_LARGEST = 1e30  # what an optimizer is given is far from the ends of float32


def optimizers(config: Any, depth: int = 0) -> Iterator[OptimizerConfig]:
    """Every optimizer in a config, the outermost first; nothing where it is none."""
    if depth > _DEEPEST or not isinstance(config, Mapping):
        return
    arguments = config.get("config")
    if isinstance(config.get("class_name"), str) and isinstance(arguments, Mapping):
        yield OptimizerConfig(snake_case(config["class_name"]), arguments)
        config = arguments
    for value in config.values():
        if isinstance(value, Mapping):
            yield from optimizers(value, depth + 1)


def kind_called(name: str, sources: Iterable[Source]) -> str:
    """The class of the one optimizer that somebody called ``name``; empty if no file tells."""
    found = {
        config.kind
        for source in sources
        for config in source.optimizers
        if config.arguments.get("name") == name
    }
    return found.pop() if len(found) == 1 else ""


def argument(
    kind: str, scope: str, name: str, sources: Iterable[Source], any_kind: bool = False
) -> tuple[float, str] | None:
    """(what the constructor was given for ``name``, the file that says so).

    Of the optimizer that somebody called ``scope``, else of those of the class; None where no file
    tells or where they tell different values.

    Args:
        kind: the class, as Keras names optimizers after it; ``adagrad``, say.
        any_kind: the class is not known: of all optimizers.
    """
    rows = [
        (config, source.label)
        for source in sources
        for config in source.optimizers
        if any_kind or _base(config.kind) == kind
    ]
    called = [row for row in rows if _name(row[0]) == scope != kind]
    given = [(config.arguments.get(name), label) for config, label in called or rows]
    values = {float(value): label for value, label in given if _is_number(value)}
    return next(iter(values.items())) if len(values) == 1 else None


def _is_number(value: Any) -> TypeGuard[float]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and -_LARGEST <= value <= _LARGEST  # NaN is neither


def _base(kind: str) -> str:
    """tf-keras calls today's class ``LossScaleOptimizerV3``."""
    base = kind.rpartition("_v")
    return base[0] if base[0] and base[2].isdigit() else kind


def _name(config: OptimizerConfig) -> str:
    name = config.arguments.get("name")
    return split_number(name)[0] if isinstance(name, str) else ""
