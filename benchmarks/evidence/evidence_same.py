"""Whether two programs leave the same model and the same file, and need other weights.

python benchmarks/evidence/evidence_same.py MADE
"""

from __future__ import annotations

import itertools
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from evidence_case import cases

FILES = ("donor.weights.h5", "donor.keras", "donor.h5")
ROUND = (
    "gated_residual", "pyramid", "shared_encoders", "own_weights", "mixed_names",
    "several_optimizers", "student_and_teacher", "tied_embedding", "recurrent_and_pointwise",
    "experts",
)  # fmt: skip


def _twins() -> dict[str, set[str]]:
    """Name -> the cases that may leave the same files.

    All of one architecture of the further round are exported by one program, which TensorFlow does
    not write in the same bytes each time where it trains.
    """
    pairs = [(name, f"{name}_twin") for name in cases() if f"{name}_twin" in cases()]
    pairs += [("one_layer_more_at_the_end", "one_layer_more_at_the_start")]
    for base in ROUND:
        mine = [name for name in cases() if name.startswith(f"{base}_")]
        pairs += itertools.combinations(mine, 2)
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


TWINS = _twins()


def same(models: Path, donors: Path, name: str, what: str, file: str) -> str:
    """The case that has the same model and the same file, and needs other weights, or ""."""
    if file not in FILES:
        return ""
    found = (o for o in sorted(TWINS.get(name, ())) if _same(models, donors, name, o, what, file))
    return next(found, "")


def _same(models: Path, donors: Path, name: str, other: str, what: str, file: str) -> bool:
    exported = [models / n / f"{what}.tflite" for n in (name, other)]
    saved = [donors / n / file for n in (name, other)]
    if not all(path.is_file() for path in (*exported, *saved)):
        return False
    is_one_program = name.startswith(tuple(f"{base}_" for base in ROUND))
    if not is_one_program and exported[0].read_bytes() != exported[1].read_bytes():
        return False
    needs = [_needs(models / n / f"{what}.json", donors / n) for n in (name, other)]
    return needs[0] != needs[1] and _told(saved[0]) == _told(saved[1])


def _told(path: Path) -> Any:
    """All that a file holds but the numbers in its arrays (and the time at which it was saved)."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            config = _plain(json.loads(archive.read("config.json")), {})
            with archive.open("model.weights.h5") as stream, h5py.File(stream) as file:
                return config, _layout(file)
    with h5py.File(path) as file:
        return _layout(file)


def _plain(config: Any, seen: dict[int, int]) -> Any:
    """Without what tells nothing of the model: addresses in memory, and our files' names."""
    if isinstance(config, list):
        return [_plain(value, seen) for value in config]
    if not isinstance(config, dict):
        return config
    found = {key: _plain(value, seen) for key, value in config.items()}
    if "shared_object_id" in found:
        found["shared_object_id"] = seen.setdefault(found["shared_object_id"], len(seen))
    if str(found.get("module")).startswith("evidence_"):
        found["module"] = "evidence"
    return found


def _layout(file: Any) -> list[Any]:
    rows: list[Any] = [_attributes(file)]

    def note(name: str, node: Any) -> None:
        array = (node.shape, str(node.dtype)) if isinstance(node, h5py.Dataset) else ()
        rows.append((name, array, _attributes(node)))

    file.visititems(note)
    return rows


def _attributes(node: Any) -> list[tuple[str, str]]:
    return sorted((key, str(value)) for key, value in node.attrs.items())


def _needs(truth_path: Path, donor: Path) -> dict[str, str]:
    """Variable -> where the right array stands in the file."""
    values = np.load(donor / "parts.npz")
    with h5py.File(donor / "donor.weights.h5") as file:
        rows: dict[bytes, str] = {}
        file.visititems(
            lambda name, node: (
                rows.update({node[()].tobytes(): name}) if isinstance(node, h5py.Dataset) else None
            )
        )
    truth = json.loads(truth_path.read_text())
    return {n: rows.get(values[p].tobytes(), "") for n, p in truth.items() if p in values}


def main() -> int:
    made = Path(sys.argv[1])
    for name in TWINS:
        for what in ("train", "infer"):
            found = [f"{f} ({same(made, made, name, what, f)})" for f in FILES]
            found = [text for text in found if not text.endswith("()")]
            if (made / name / f"{what}.tflite").exists():
                print(f"{name}, {what}: {', '.join(found) or 'not the same'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
