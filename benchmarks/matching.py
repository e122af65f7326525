"""Score the matching of weights: right, refused or wrong for each architecture and source.

    python benchmarks/matching.py MADE [--weights-from MADE2] [NAME...] > benchmarks/matching.md

MADE is a folder that ``matching_make.py`` filled. "Right" is proven by running: the model is
repaired with the matched weights, ``infer`` runs under LiteRT, and its answer is compared with
what Keras answered when the files were made. With --weights-from, weights that tf-keras 2 wrote go
into the models of MADE, and the answers are tf-keras's.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.commands.fix.planning import plan_fix
from tflrepair.commands.fix.resolve_by_running import resolve_by_running
from tflrepair.commands.scan import ScanResult, scan
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import Model, load
from tflrepair.passes.graft.graft import graft
from tflrepair.passes.graft.plan import needing_values

TOLERANCE = 2e-4  # relative; kernels add in another order than TensorFlow's, network after network
CHECKED = 10 << 20  # --check is tried on models of up to so many bytes; each reading is run
SOURCES = (
    ("donor.weights.h5", ".weights.h5", False),
    ("donor.keras", ".keras", False),
    ("saved_model", "SavedModel", False),
    ("by_path.npz", ".npz", False),
    ("by_path.npz", ".npz, by name", True),
    ("donor.h5", ".h5, whole model", False),
    ("old_weights.h5", ".h5, weights only", False),
)
TOTALS = {
    "right": ("right", "right*"),
    "refused": ("refused", "refused+"),
    "of these right with --check": ("refused+",),
    "wrong": ("wrong", "wrong*", "refused-"),
}


@dataclass(frozen=True)
class Score:
    """``result``: right, refused, wrong, or n/a where this Keras cannot write the source.

    ``refused+`` would have been right with --check, ``refused-`` wrong.
    """

    result: str
    note: str = ""
    seconds: float = 0.0


def score(model: Model, source: Path, by_name: bool, answers: Path) -> Score:
    if not source.exists():
        return Score("n/a")
    analysis = analyse(model)
    needy = needing_values(analysis)
    rates = {v.name: 1e-3 for v in needy if v.name.endswith("/learning_rate")}
    start = time.perf_counter()
    try:
        targets = weights.targets_of(model, needy)
        table = weights.match(
            targets,
            [weights.open_weights(source)],
            sets=rates,
            by_name=by_name,
            kernels=weights.kernels_of(model),
        )
    except TflRepairError as error:
        return Score("refused", str(error))
    seconds = time.perf_counter() - start
    result = scan(model)
    if table.problems:
        decided = checked(result, table, answers)
        return Score(f"refused{decided}", table.problems[0].message, seconds)
    out = io.BytesIO()
    graft(model, plan_fix(result.context, table)).write(out)
    try:
        gap = difference(out.getvalue(), answers)
    except RuntimeError:  # needs the Flex delegate, which no wheel has
        return Score(by_value(table, answers.parent / "saved_model"), "", seconds)
    return Score("right" if gap <= TOLERANCE else "wrong", f"differs by {gap:.1e}", seconds)


def checked(result: ScanResult, table: weights.MatchTable, answers: Path) -> str:
    """What becomes of a refusal with --check: "+" if it is right then, bit for bit."""
    saved = answers.parent / "saved_model"
    if not saved.exists() or sum(row.nbytes for row in table.rows if row.weight) > CHECKED:
        return ""
    both = np.load(answers)
    check = {"x": both["x"]}, {"y": both["y"]}
    try:
        plan_of = partial(plan_fix, result.context)
        table = resolve_by_running(result.model, table, plan_of, check, lambda *_: None)
    except TflRepairError:
        return ""
    if table.problems:
        return ""
    return "+" if by_value(table, saved) == "right*" else "-"


def by_value(table: weights.MatchTable, saved_model: Path) -> str:
    """Every value compared with that of the same variable in the SavedModel, bit for bit."""
    if not saved_model.exists():
        return "not run"
    wanted = {w.path: w for w in weights.open_weights(saved_model).weights}
    rows = [row for row in table.rows if row.origin == "weight"]
    same = all(np.array_equal(r.value(), wanted[r.target.shared_name].read()) for r in rows)
    return "right*" if same else "wrong"


def difference(model: bytes, answers: Path) -> float:
    """Largest difference between LiteRT's answer and Keras's, relative to the largest value."""
    from ai_edge_litert.interpreter import Interpreter

    wanted = np.load(answers)
    run = Interpreter(model_content=model).get_signature_runner("infer")
    got = run(x=wanted["x"])["y"]
    if not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got - wanted["y"]).max() / max(np.abs(wanted["y"]).max(), 1e-6))


def table(made: Path, weights_from: Path, names: list[str]) -> Iterator[str]:
    totals = {title: Counter[str]() for _, title, _ in SOURCES}
    notes, slowest = [], (0.0, "")
    rows = []
    for folder in sorted(made.iterdir()):
        if (names and folder.name not in names) or not (folder / "model.tflite").is_file():
            continue
        model, origin = load(folder / "model.tflite"), weights_from / folder.name
        cells = []
        for file, title, by_name in SOURCES:
            found = score(model, origin / file, by_name, origin / "io.npz")
            totals[title][found.result] += 1
            cells.append(found.result)
            if found.result not in ("right", "right*", "n/a"):
                notes.append(f"- {folder.name}, {title}: {found.result}: {found.note}")
            slowest = max(slowest, (found.seconds, f"{folder.name} from {title}"))
        print(folder.name, *cells, file=sys.stderr, flush=True)
        rows.append(f"| {folder.name} | " + " | ".join(cells) + " |")
    shown = [i for i, (_, title, _) in enumerate(SOURCES) if set(totals[title]) != {"n/a"}]

    def only(row: str) -> str:
        cells = row.strip("| ").split(" | ")
        return "| " + " | ".join([cells[0], *(cells[i + 1] for i in shown)]) + " |"

    yield only("| architecture | " + " | ".join(title for _, title, _ in SOURCES) + " |")
    yield only("|---|".replace("|---|", "| --- | ") + " | ".join("---" for _ in SOURCES) + " |")
    yield from map(only, rows)
    for result, kinds in TOTALS.items():
        counts = [sum(totals[title][kind] for kind in kinds) for _, title, _ in SOURCES]
        yield only(f"| **{result}** | {' | '.join(map(str, counts))} |")
    yield ""
    yield (
        "refused+: right with --check (tried up to 10 MB), proven by value, as the answers have "
        "been used to resolve_by_running."
    )
    yield "right*: `infer` needs the Flex delegate, so values were compared with the SavedModel's."
    yield f"Slowest, opening the source included: {slowest[0]:.1f} s, {slowest[1]}."
    yield ""
    yield from notes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("made", type=Path)
    parser.add_argument("--weights-from", type=Path, help="a folder made with tf-keras")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    for line in table(options.made, options.weights_from or options.made, options.names):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
