"""Attributes on both sides of ``layers``, the list in which Keras saves what is in no attribute.

Keras saves attributes by the alphabet and nothing twice: of ``dense``, ``mid`` and ``out`` the
first stands alone, and the list begins with its second member.
"""

from __future__ import annotations

from typing import Any

from evidence_case import WIDTH, Keras, Made, case, parts
from evidence_custom import attributes

USED = ("dense", "mid", "out")


def _made(k: Keras, order: tuple[str, ...], used: tuple[str, ...] = USED) -> Made:
    net: Any = attributes(k, order, used, True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(
        net, parts(**{part: getattr(net, n) for part, n in zip("cba", used[:-4:-1], strict=True)})
    )


def _twin(name: str, saved: tuple[str, ...], exported: tuple[str, ...]) -> None:
    """NAME_twin: its program calls ``out`` before ``mid``, and makes them in the order of NAME's.

    So the file is that of NAME (a file tells no calls), and the model is, too (a model tells no
    attributes), but what NAME has in ``mid``, this one has in ``out``.
    """
    other = {"mid": "out", "out": "mid"}

    def build(k: Keras, changed: bool) -> Made:
        order = tuple(other.get(n, n) for n in exported) if changed else saved
        if "aside" in saved and not changed:
            _made(k, USED)  # as its twin does; it moves Keras's numbers
        more = tuple(n for n in order if n not in USED)
        return _made(k, order, (*more, "dense", "out", "mid"))

    build.__name__ = f"{name}_twin"
    case("B" if "aside" in saved else "C")(build)


_twin("attributes_around_the_list", USED, USED)
_twin("attributes_around_the_list_moved", USED, ("mid", "dense", "out"))
_twin("attributes_around_the_list_moved_before", ("out", "dense", "mid"), USED)
_twin("attributes_around_the_list_backwards", USED, USED[::-1])
_twin("an_attribute_more_in_the_file", ("aside", *USED), USED)


@case("S")
def attributes_around_the_list(k: Keras, changed: bool) -> Made:
    return _made(k, USED)


@case("C")
def attributes_around_the_list_moved(k: Keras, changed: bool) -> Made:
    return _made(k, ("mid", "dense", "out") if changed else USED)


@case("C")
def attributes_around_the_list_moved_before(k: Keras, changed: bool) -> Made:
    return _made(k, USED if changed else ("out", "dense", "mid"))


@case("C")
def attributes_around_the_list_backwards(k: Keras, changed: bool) -> Made:
    return _made(k, USED[::-1] if changed else USED)


@case("B")
def an_attribute_more_in_the_file(k: Keras, changed: bool) -> Made:
    made = _made(k, USED)
    if changed:
        return made
    net: Any = attributes(k, ("aside", *USED), ("aside", *USED), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.dense, b=net.mid, c=net.out))


@case("B")
def an_attribute_less_in_the_file(k: Keras, changed: bool) -> Made:
    if not changed:
        return _made(k, USED)
    net: Any = attributes(k, (*USED, "pre"), ("pre", *USED), True)
    net(k.ops.zeros((1, WIDTH)))
    return Made(net, parts(a=net.dense, b=net.mid, c=net.out))
