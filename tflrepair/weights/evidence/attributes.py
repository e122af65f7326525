"""Layers that are attributes of somebody's own class, as far as numbers tell them apart.

Keras 3 saves them by attribute, which the model does not show; both sides have running numbers. If
one of the two programs made the layers in another order, numbers exchange them. That shows where
the model makes its layers in another order than it calls them, and where attributes that count
(``conv1``, ``conv2``; a list) were not made in that order. Keras 2 lists their weights, in the
order in which they became attributes or, inside a Functional model, by the data flow.
"""

from __future__ import annotations

import re

from tflrepair.weights.types.layer_names import split_number
from tflrepair.weights.types.layers import FileLayer

_COUNTED = re.compile(r"(.*?)_?([0-9]+|[a-z])")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Words for where something stands between input and output
_COURSE = (
    frozenset(
        [
            "in",
            "input",
            "first",
            "start",
            "pre",
            "stem",
            "embed",
            "embedding",
            "enc",
            "encoder",
            "up",
            "expand",
            "inner",
        ]
    ),
    frozenset(["mid", "middle", "body", "trunk", "backbone", "hidden", "bottleneck"]),
    frozenset(
        [
            "out",
            "output",
            "last",
            "end",
            "post",
            "head",
            "dec",
            "decoder",
            "down",
            "final",
            "classifier",
            "outer",
        ]
    ),
)
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def told_by_attributes(mine: FileLayer, other: FileLayer, flow: int, updated: int) -> bool:
    """Whether running numbers may tell two attributes apart.

    Args:
        flow: -1 if the model calls the first of the two before the second, 1 if behind, 0 if that
            is not known.
        updated: likewise for the order in which the model made them, as updates show it.
    """
    places = mine.weights[0].place, other.weights[0].place
    if None not in places:  # Keras 2: a list of the weights of the outermost layer
        listed = _sign(*places)  # type: ignore[arg-type]
        return bool(listed) and listed == flow and updated in (0, listed)
    ours, theirs = mine.levels, other.levels
    paths = ("", *mine.keys), ("", *other.keys)
    step = next((n for n, (a, b) in enumerate(zip(*paths, strict=False)) if a != b), None)
    if step is None or len(ours) != len(theirs):
        return False
    keys = mine.keys[step - 1], other.keys[step - 1]
    one, two = split_number(ours[step].name), split_number(theirs[step].name)
    if not (one[0] or two[0]) and "/" in keys[0]:  # members of a list, in a file without names
        one, two = split_number(keys[0]), split_number(keys[1])
    if one[0] != two[0] or not one[0]:
        return False
    numbered = _sign(one[1], two[1])
    counted = _counted(*keys) or _course(*keys)
    if not numbered or flow != numbered or counted not in (0, numbered):
        return False
    return updated in (0, numbered)


def _counted(mine: str, other: str) -> int:
    """Order of two attributes that count: ``d1`` and ``d2``, ``a`` and ``b``; 0 for other words."""
    for words in (_WORDS, _PLACES):
        if mine in words and other in words:
            return _sign(words.index(mine), words.index(other))
    one, two = _COUNTED.fullmatch(mine), _COUNTED.fullmatch(other)
    if one and two and one[1] == two[1]:
        return _sign(_value(one[2]), _value(two[2]))
    listed, last = split_number(mine), split_number(other)
    return _sign(listed[1], last[1]) if listed[0] == last[0] else 0


def _course(mine: str, other: str) -> int:
    """Order of two attributes whose names tell where they stand: ``stem`` and ``head``."""
    places = [
        next((n for n, words in enumerate(_COURSE) if not words.isdisjoint(name.split("_"))), None)
        for name in (mine, other)
    ]
    return _sign(*places) if None not in places else 0  # type: ignore[arg-type]


def _value(text: str) -> int:
    return int(text) if text.isdigit() else ord(text)


def _sign(mine: int, other: int) -> int:
    return (mine > other) - (mine < other)
