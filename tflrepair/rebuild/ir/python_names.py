"""Names of a model's things as Python and TensorFlow take them."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from functools import cache

from tflrepair.analysis.resources import ResourceId
from tflrepair.rebuild.ir.steps import SignatureFunction
from tflrepair.rebuild.ops.registry import operators

_LONGEST = 80
# `file` is what numpy.savez calls its own argument
_TAKEN = ("self", "tf", "np", "WEIGHTS", "file", "loop", "quantize", "dequantize")


@cache
def reserved() -> frozenset[str]:
    """Names that mean something in an emitted file: its functions, its imports, Python's own."""
    functions = {builtin.function.__name__ for builtin in operators().values()}
    return frozenset({*functions, *_TAKEN, *keyword.kwlist, *dir(builtins)})


def unique(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """``names``, with ``_1``, ``_2`` ... at those that were there before or are ``taken``."""
    seen = set(taken)
    counts: dict[str, int] = {}
    result = []
    for name in names:
        candidate = name
        while candidate in seen:
            counts[name] = counts.get(name, 0) + 1
            candidate = f"{name}_{counts[name]}"
        seen.add(candidate)
        result.append(candidate)
    return result


def identifier(text: str) -> str:
    """``text`` as a short lower-case identifier (ASCII, no leading underscore)."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()[-_LONGEST:].strip("_")
    if not word:
        return "value"
    return word if word[0].isalpha() else f"n{word}"


def tensor_name(name: str) -> str:
    """A tensor's name as an identifier: the last two parts of its first path.

    Converters join the names of all that was fused into a tensor with ``;``.
    """
    parts = [p for p in name.split(";")[0].split("/") if p and "PartitionedCall" not in p]
    return identifier("_".join(parts[-2:]))


def variable_names(keys: Iterable[ResourceId]) -> list[str]:
    """Names for tf.Variables: the shared names, as far as TensorFlow takes them for names."""
    return unique(_variable_name(key) for key in keys)


def _variable_name(key: ResourceId) -> str:
    name = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", key.shared_name)
    return name if re.match(r"[A-Za-z0-9.]", name) else f"v{name}"


def input_names(entry: SignatureFunction) -> list[str]:
    """The signature's input names, as far as they can be argument names of an emitted method."""
    taken = reserved()
    wanted = [
        name if name.isidentifier() and name.isascii() and name not in taken else f"arg_{number}"
        for number, name in enumerate(entry.inputs)
    ]
    return unique(wanted)
