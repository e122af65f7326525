"""Programs that have layers exchanged without a trace in a file of weights: never silently wrong.

What the search says of random networks is compared with all permutations of their layers, tried one
by one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations

import pytest
from networks import Net, file_of, flow_of, numbers, outcome, random_net, targets_of

from tflrepair import weights
from tflrepair.weights.evidence.exchange import Exchange
from tflrepair.weights.matching.question import Question
from tflrepair.weights.matching.topology import Owner, Part
from tflrepair.weights.types.layers import target_layers

Label = Mapping[str, str]


def computes(net: Net, label: Label, fine: bool) -> object:
    """What the network computes if each place has the weights of ``label``, as nested tuples."""

    def joined(kind: str, parts: list[object]) -> object:
        return (kind, *(sorted(parts, key=repr) if kind == "add" else parts))

    made: dict[str, object] = {"x": "x"}
    for name, names in net.takes.items():
        taken = [made[n] for n in names]
        what = taken[0] if len(taken) == 1 else joined(net.join[name], taken)
        made[name] = label[name], net.activation[name] if fine else "", what
    ends = [made[name] for name in net.ends]
    return ends[0] if len(ends) == 1 else joined(net.join[""], ends)


def exchanges(net: Net) -> Iterator[dict[str, str]]:
    """The permutations that leave the network as it is, but for its activations."""
    names = list(net.takes)
    plain = computes(net, {n: n for n in names}, False)
    for order in permutations(names):
        label = dict(zip(names, order, strict=True))
        if order != tuple(names) and computes(net, label, False) == plain:
            yield label


def nets(count: int) -> Iterator[tuple[random.Random, Net]]:
    for seed in range(count):
        chance = random.Random(seed)
        net = random_net(chance)
        if len(net.takes) < 6:
            yield chance, net


def test_the_search_finds_what_trying_all_permutations_finds() -> None:
    found = Counter[bool]()
    for _, net in nets(1500):
        called = numbers(net, list(net.takes), 0)
        layers = target_layers(targets_of(net, called, False))
        place = {layer.last: number for number, layer in enumerate(layers)}
        parts = [Part(n, layer.names, [Question(layer, [])]) for n, layer in enumerate(layers)]
        everything = {n: set(range(len(layers))) for n in range(len(layers))}
        search = Exchange(flow_of(net, called), Owner(parts), everything)
        known = [label for label in exchanges(net) if all(label[label[n]] == n for n in label)]
        for one, two in permutations(net.takes, 2):
            moving = [label for label in known if label[one] == two]
            said = search.leaves_no_trace(place[called[one]], place[called[two]])
            if net.activation[one] != net.activation[two]:
                assert said == bool(moving)
            assert moving or not said
            found[said] += 1
    assert min(found[True], found[False]) > 100


def exchanged(net: Net) -> tuple[Net, dict[str, str]] | None:
    """The program with its layers exchanged, and which layer is which, if there is one such way."""
    ways = list(exchanges(net))
    if len(ways) != 1 or all(net.activation[a] == net.activation[b] for a, b in ways[0].items()):
        return None
    activation = {name: net.activation[ways[0][name]] for name in net.takes}
    return replace(net, activation=activation), ways[0]


@pytest.mark.parametrize("kind", ["weights", "unnamed", "keras"])
def test_the_files_of_both_programs(kind: str) -> None:
    """Of the two, no file is taken for the other's without a word; ``.keras`` tells them apart."""
    results = Counter[str]()
    for chance, net in nets(4000):
        other = exchanged(net)
        if other is None:
            continue
        order = list(net.takes)
        called = numbers(net, order, 4)
        targets = targets_of(net, called, chance.random() < 0.5)
        for program, label in ((net, {n: n for n in order}), other):
            file = file_of(program, numbers(program, order, 0), kind)
            back = {label[name]: called[name] for name in order}
            table = weights.match(targets, [file])
            result = outcome(table, {old: back[old] for old in back})
            results[result] += 1
            assert result != "wrong"
            assert table.problems or table.unproven or kind == "keras"
    assert sum(results.values()) > 40
    if kind == "keras":
        assert set(results) == {"right"}
    elif kind == "weights":
        assert min(results["right"], results["unproven"]) > 10
