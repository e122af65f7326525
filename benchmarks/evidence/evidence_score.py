"""Score the evidence benchmark: right, refused or wrong, for each kind and source.

    python benchmarks/evidence/evidence_score.py MADE [--weights-from MADE2] [--check] [NAME...]

With ``--check``, each refusal is tried once more with what the Python model answers.

MADE was filled by ``evidence_make.py``. The truth is known by value: each array of the donor is
unlike all others. A variable whose weight the donor has not must be refused.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import evidence_same
import numpy as np
from evidence_case import cases

import tflrepair
from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import load
from tflrepair.passes.graft.plan import needing_values

FILES = ("donor.weights.h5", "donor.keras", "donor.h5", "donor.npz")
SAVED = "SavedModel"  # kind D only: a SavedModel knows all variables by name


def outcome(model_path: Path, source: Path, values: dict[str, np.ndarray]) -> tuple[str, str]:
    """(result, what is to say about it).

    ``right``, ``refused``, ``wrong``, or ``unproven``: wrong, but `fix` says that it is not proven
    and ends with exit code 1. A refusal is ``none`` where the file has not all of the weights.
    """
    model = load(model_path)
    needy = needing_values(analyse(model))
    truth = json.loads(model_path.with_suffix(".json").read_text())

    def match(more: dict[str, float]) -> weights.MatchTable:
        rates = {v.name: 1e-3 for v in needy if v.name.endswith("/learning_rate")}
        return weights.match(
            weights.targets_of(model, needy),
            [weights.open_weights(source)],
            sets=rates | more,
            kernels=weights.kernels_of(model),
        )

    try:
        table = match({})
        path = model_path.with_name(f"{model_path.stem}_starts.npz")
        held = np.load(path).items() if path.exists() else ()
        starts = {k.replace("|", "/"): v for k, v in held}
        rows = tuple(row for row in table.rows if row.target.shared_name not in starts)
        result, note = _compared(replace(table, rows=rows), truth, values)
        if result != "right" or not starts:
            return result, note
        result, note, sets = _started(table, starts)
        if result == "stated" and _started(match(sets), starts)[0] == "right":
            note += "; right with --set"
        return result, note
    except TflRepairError as error:
        return "refused", str(error)


def _started(
    table: weights.MatchTable, starts: dict[str, np.ndarray]
) -> tuple[str, str, dict[str, float]]:
    """``stated``: another start than the program's, but it is said, with the option that decides.

    The last is these options, with the program's values.
    """
    result, note, sets = "right", "", dict[str, float]()
    for row in table.rows:
        name = row.target.shared_name
        if name in starts and not np.array_equal(row.value(), starts[name]):
            if row.assumption is None:
                return "wrong", f"{name} starts at {row.fill}", {}
            result, note = "stated", row.assumption.text
            option = shlex.split(row.assumption.option)[1]
            sets[option.removesuffix("=VALUE")] = float(starts[name].flat[0])
    return result, note, sets


def _compared(
    table: weights.MatchTable, truth: dict[str, str], values: dict[str, np.ndarray]
) -> tuple[str, str]:
    if table.problems:
        wanted = [
            truth.get(r.target.shared_name, "")
            for r in table.rows
            if r.origin in ("weight", "unresolved")
        ]
        has_all = all(part in values for part in wanted)
        return "refused" if has_all else "none", table.problems[0].message
    rows = [r for r in table.rows if r.origin == "weight"]
    for row in rows:
        part = truth.get(row.target.shared_name, "")
        if part not in values or not np.array_equal(row.value(), values[part]):
            result = "unproven" if table.unproven else "wrong"
            return result, f"{row.target.shared_name} <- {row.weight and row.weight.path}"
    sure = Counter(r.confidence for r in rows)
    return "right", ", ".join(f"{n} {word}" for word, n in sure.items())


def checked(model: Path, source: Path, values: dict[str, np.ndarray]) -> str:
    """What ``fix --check`` makes of it: ``right``, ``refused``, ``unproven`` or ``wrong``."""
    both = np.load(model.with_name(f"{model.stem}_io.npz"))
    needy = needing_values(analyse(load(model)))
    truth = json.loads(model.with_suffix(".json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        check = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(check[0], **{"infer/x": both["x"]})
        np.savez(check[1], **{"infer/y": both["y"]})
        try:
            result = tflrepair.fix(
                model,
                [source],
                out=Path(folder) / "out.tflite",
                sets={v.name: 1e-3 for v in needy if v.name.endswith("/learning_rate")},
                check=check,
            )
        except TflRepairError:
            return "refused"
    return "refused" if result.table is None else _compared(result.table, truth, values)[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("made", type=Path)
    parser.add_argument("--weights-from", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--notes", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    totals: dict[tuple[str, str], Counter[str]] = {}
    print(f"| architecture | kind | model | {' | '.join(f.removeprefix('donor') for f in FILES)} |")
    print("| --- | --- | --- |" + " --- |" * len(FILES))
    notes = []
    for name in options.names or cases():
        kind = cases()[name][0]
        donors = options.weights_from or options.made
        if not (donors / name / "parts.npz").exists():
            continue
        values = dict(np.load(donors / name / "parts.npz"))
        for what in ("train", "infer"):
            model = options.made / name / f"{what}.tflite"
            if not model.exists():
                continue
            cells = []
            for file in (*FILES, SAVED) if kind == "D" else FILES:
                source = donors / name / file
                if file == SAVED:
                    source = options.made / name / f"{what}_saved_model"
                if not source.exists():
                    cells.append("n/a")
                    continue
                result, note = outcome(model, source, values)
                counts = totals.setdefault((kind, file), Counter())
                if result == "refused" and evidence_same.same(
                    options.made, donors, name, what, file
                ):
                    result = "twin"
                if options.check and result in ("refused", "twin", "unproven"):
                    by_running = checked(model, source, values)
                    counts[f"{by_running} with --check"] += 1
                    note = f"with --check {by_running}; {note}"
                cells += [result] if file != SAVED else []
                notes.append(f"{name} {what} {file}: {result}: {note}")
                counts[result] += 1
                counts["right with --set"] += note.endswith("; right with --set")
            print(f"| {name} | {kind} | {what} | {' | '.join(cells)} |", flush=True)
    results = [
        "right",
        "none",
        "twin",
        "stated",
        "right with --set",
        "refused",
        "unproven",
        "wrong",
    ]
    if options.check:
        results += [f"{result} with --check" for result in ("right", "wrong")]
    heads = ["kind", "source", *results]
    print(f"\n| {' | '.join(heads).replace('none', 'rightly refused')} |")
    print("| --- " * len(heads) + "|")
    for (kind, file), counts in sorted(totals.items()):
        row = " | ".join(str(counts[result]) for result in results)
        print(f"| {kind} | {file.removeprefix('donor')} | {row} |")
    if options.notes:
        print("\n".join(notes), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
