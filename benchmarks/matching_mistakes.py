"""What matching does with files that are not the model's, or only part of it.

    python benchmarks/matching_mistakes.py MADE >> benchmarks/matching.md

MADE is a folder that ``matching_make.py`` filled. Each line of the table is one kind of mistake,
made at random with a fixed seed: right, refused or wrong. "Right" is proven bit for bit against the
values in the SavedModel of the same instance. Models of more than MOST variables are left out.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.graph.model import load
from tflrepair.weights import Source, Target
from tflrepair.weights.model_facts.kernels import Kernel

FILES = ("donor.weights.h5", "donor.keras", "donor.h5", "by_path.npz")
MOST = 300
TIMES = 6


@dataclass(frozen=True)
class Case:
    name: str
    targets: tuple[Target, ...]
    kernels: tuple[Kernel, ...]
    sources: Mapping[str, Source]
    truth: Mapping[str, np.ndarray]


def cases(made: Path) -> Iterator[Case]:
    for folder in sorted(made.iterdir()):
        if not (folder / "model.tflite").is_file() or not (folder / "saved_model").is_dir():
            continue
        model = load(folder / "model.tflite")
        variables = [v for v in analyse(model).variables if not v.name.startswith("adam/")]
        if len(variables) > MOST:
            continue
        saved = weights.open_weights(folder / "saved_model")
        sources = {f: weights.open_weights(folder / f) for f in FILES if (folder / f).exists()}
        truth = {w.path: w.read() for w in saved.weights}
        targets = weights.targets_of(model, variables)
        yield Case(folder.name, targets, weights.kernels_of(model), sources, truth)


def outcome(case: Case, targets: tuple[Target, ...], source: Source, kind: str = "") -> str:
    table = weights.match(targets, [source], kernels=case.kernels)
    if table.problems:
        return "refused"
    found = [r for r in table.rows if r.origin == "weight"]
    same = (np.array_equal(r.value(), case.truth[r.target.shared_name]) for r in found)
    result = "right" if all(same) else "wrong"
    if result == "wrong":
        print(case.name, source.kind, kind, file=sys.stderr)
    return result


def fewer_targets(case: Case, chance: random.Random) -> tuple[Target, ...]:
    """The model as if some of its layers were not there."""
    layers = sorted({_layer(t) for t in case.targets})
    kept = set(chance.sample(layers, chance.randint(1, len(layers))))
    places = [i for i, t in enumerate(case.targets) if _layer(t) in kept]

    def only(mask: int) -> int:
        return sum(1 << new for new, old in enumerate(places) if mask >> old & 1)

    return tuple(replace(case.targets[i], upstream=only(case.targets[i].upstream)) for i in places)


def fewer_weights(source: Source, chance: random.Random) -> Source:
    """The file as if up to a third of its layers were not there."""
    layers = sorted({w.keys + w.layer for w in source.weights})
    gone = set(chance.sample(layers, chance.randint(1, max(1, len(layers) // 3))))
    return replace(source, weights=tuple(w for w in source.weights if w.keys + w.layer not in gone))


def _layer(target: Target) -> tuple[str, ...]:
    name = target.read_as[0] if target.read_as else target.shared_name
    return tuple(name.split("/")[:-2])


def mistakes(found: list[Case]) -> Iterator[tuple[str, Counter[str]]]:
    chance = random.Random(1)
    kinds: dict[str, Counter[str]] = {
        "the whole file, a part of the model": Counter(),
        "a part of the file, the whole model": Counter(),
        "a part of the file, a part of the model": Counter(),
    }
    whole, torn, both = kinds.values()
    for case in found:
        for source in case.sources.values():
            for _ in range(TIMES):
                whole[outcome(case, fewer_targets(case, chance), source)] += 1
                torn[outcome(case, case.targets, fewer_weights(source, chance))] += 1
                targets = fewer_targets(case, chance)
                both[outcome(case, targets, fewer_weights(source, chance), "both")] += 1
    yield from kinds.items()
    other: Counter[str] = Counter()
    for case in found:
        for owner in found:
            for source in owner.sources.values() if owner is not case else ():
                table = weights.match(case.targets, [source], kernels=case.kernels)
                other["refused" if table.problems else "wrong"] += 1
                if not table.problems:
                    print(case.name, "takes", owner.name, source.kind, file=sys.stderr)
    yield "the file of another architecture", other


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("made", type=Path)
    found = list(cases(parser.parse_args().made))
    print("| given | right | refused | wrong |\n| --- | --- | --- | --- |")
    for title, counts in mistakes(found):
        print(f"| {title} | {counts['right']} | {counts['refused']} | {counts['wrong']} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
