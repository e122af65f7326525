"""What matching does with files that are not the model's, or only part of it.

    python benchmarks/matching_mistakes.py MADE > benchmarks/matching_mistakes.md

MADE is a folder that ``matching_make.py`` filled. Each line of the table is one kind of mistake,
made at random with a fixed seed: right, refused, unproven (`fix` says so and ends with 1) or wrong.
"Right" is proven bit for bit against the values in the SavedModel of the same instance. Models of
more than MOST variables are left out. Each cell that is wrong or unproven is listed with what it
rests on, and with what the file would have to be to be told from the right one.
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


@dataclass(frozen=True)
class Cell:
    """What was written though it is not the model's: model, file, and what the match rests on."""

    given: str
    model: str
    file: str
    kind: str
    result: str
    sure: str
    layers: str


def outcome(
    case: Case,
    targets: tuple[Target, ...],
    source: Source,
    given: str,
    file: str,
    cells: list[Cell],
) -> str:
    table = weights.match(targets, [source], kernels=case.kernels)
    if table.problems:
        return "refused"
    found = [r for r in table.rows if r.origin == "weight"]
    wrong = [r for r in found if not np.array_equal(r.value(), case.truth[r.target.shared_name])]
    if not wrong:
        return "right"
    result = "unproven" if table.unproven else "wrong"
    sure = Counter(r.confidence for r in found)
    said = ", ".join(f"{n} {word}" for word, n in sure.items())
    some = "; ".join(f"{r.target.shared_name} <- {r.weight and r.weight.path}" for r in wrong[:2])
    why = Counter(r.reason.partition("matched by ")[2] or "full names" for r in wrong)
    some += f" (by {', '.join(why)})"
    cells.append(Cell(given, case.name, file, source.kind, result, said, some))
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


WHOLE, TORN, BOTH, OTHER = (
    "the whole file, a part of the model",
    "a part of the file, the whole model",
    "a part of the file, a part of the model",
    "the file of another architecture",
)


def mistakes(found: list[Case], cells: list[Cell]) -> dict[str, Counter[str]]:
    chance = random.Random(1)
    kinds: dict[str, Counter[str]] = {k: Counter() for k in (WHOLE, TORN, BOTH, OTHER)}

    def count(
        case: Case, targets: tuple[Target, ...], source: Source, given: str, file: str
    ) -> None:
        kinds[given][outcome(case, targets, source, given, file, cells)] += 1

    for case in found:
        for file, source in case.sources.items():
            for _ in range(TIMES):
                count(case, fewer_targets(case, chance), source, WHOLE, file)
                count(case, case.targets, fewer_weights(source, chance), TORN, file)
                targets = fewer_targets(case, chance)
                count(case, targets, fewer_weights(source, chance), BOTH, file)
    for case in found:
        for owner in found:
            for file, source in owner.sources.items() if owner is not case else ():
                count(case, case.targets, source, OTHER, f"{owner.name}/{file}")
    return kinds


VERDICTS = """
## Why nothing in the two files tells

- *full names*: an `.npz` with exactly the model's own full names, which decide by themselves. Only
  the numbers in its arrays differ from those of the right file.
- *another architecture, `.keras` and `.h5`*: rows of three Dense layers of one shape. The function
  that was exported runs without dropout and noise, so nothing is left of them in the model.
- *`features_without_the_head` from `sequential/donor.weights.h5`*: the part of that very program
  without its last layer leaves the same model.
- *`parallel_branches` from `used_in_another_order/donor.weights.h5`*: such a file tells no calls. A
  program with three outputs that the exported function joins leaves the same file and model.
- *a part of the file, a part of the model*: of two look-alikes, the file lost the one that the
  model kept, and the model lost the other. What is left is the only layer that fits. A file of such
  a program that made one layer looks the same; its running numbers are free, an attribute that
  is the first of its row (`d1`) does not show in the model, and the last of an RNN's cells leaves
  no gap.

Refused by default, and so not in the list: a last layer without an activation in the file that has
one in the model, or the other way round (`--accept added-activation`), `d2` in a file without `d1`,
a cell of an RNN that the config of a `.keras` or whole-model `.h5` describes and the file does not
hold (`missing-layer`), and a layer of an `.npz` under another name where others have the model's
own (`renamed-layer`).

These are written with exit code 0. `--check` tells all of them.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("made", type=Path)
    cells: list[Cell] = []
    found = list(cases(parser.parse_args().made))
    results = ("right", "refused", "unproven", "wrong")
    print(f"# Files that are not the model's: {len(found)} architectures\n")
    print("Made by `python benchmarks/matching_mistakes.py MADE`; do not edit.\n")
    print(f"| given | {' | '.join(results)} |\n|{' --- |' * 5}")
    for given, counts in mistakes(found, cells).items():
        print(f"| {given} | {' | '.join(str(counts[r]) for r in results)} |")
    print("\n| given | model | file | result | confidence | the first two that are wrong |")
    print("| --- " * 6 + "|")
    for c in cells:
        print(f"| {c.given} | {c.model} | {c.file} | {c.result} | {c.sure} | {c.layers} |")
    print(VERDICTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
