"""Every architecture of the matching suite, from its broken file and weights, without Flex.

    python benchmarks/public/public_matching.py MADE [NAME...]

writes benchmarks/public/matching.md, where the rows of other names stay as they are. MADE is a
folder that benchmarks/matching_make.py filled.

Each broken file is repaired with the donor's .weights.h5 by `fix --no-flex`, which compares
training with TensorFlow's kernels on the written bytes. *infer* is the largest difference from what
Keras answered, relative to its largest answer. Where the folder has a SavedModel, it is converted
once more with weights in float16, and goes the same way.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import tflrepair
from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.entries import run_targets
from tflrepair.graph.model import load
from tflrepair.rebuild.requests import NoFlex

TABLE = Path(__file__).with_suffix(".md")
RATE = {"adam/learning_rate": "0.001"}


def half(folder: Path) -> bytes:
    """The file with its constants in float16."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [ops.TFLITE_BUILTINS, ops.SELECT_TF_OPS]
    converter.target_spec.supported_types = [tf.float16]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.experimental_enable_resource_variables = True
    return bytes(converter.convert())


def row(broken: Path, folder: Path) -> list[str]:
    """Flex operators before and after, what the comparison said, and `infer`'s difference."""
    before = AnalysisContext(load(broken))
    targets = run_targets(before)
    if "train" not in {target.label for target in targets}:
        return ["", "", "no training signature", ""]
    flex = {name for target in targets for name in target.flex}
    unset = {v.name for v in before.analysis.variables if v.unset_in}
    rate = {name: value for name, value in RATE.items() if name in unset}
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out.tflite"
        try:
            found = tflrepair.fix(
                broken, [folder / "donor.weights.h5"], sets=rate, out=out, run=False,
                no_flex=NoFlex(),
            )  # fmt: skip
        except tflrepair.TflRepairError as error:
            reason = " ".join(str(error).replace(f"{folder}/", "").split()).replace("|", "/")
            return [str(len(flex)), "", reason[:240], ""]
        left = {n for t in run_targets(AnalysisContext(load(out))) for n in t.flex}
        said = [n for note in found.notes for n in note.split("\n") if "kernels" in n]
        with np.load(folder / "io.npz") as stored:
            x, y = stored["x"], stored["y"]
        answer = Interpreter(str(out)).get_signature_runner("infer")(x=x)["y"]
        gap = float(np.abs(answer - y).max() / np.abs(y).max())
    return [str(len(flex)), str(len(left)), "; ".join(said), f"{gap:.0e}"]


def rows(made: Path, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    found = [folder for folder in made.iterdir() if (folder / "model.tflite").exists()]
    every = sorted(found, key=lambda folder: (folder / "model.tflite").stat().st_size)
    for folder in [made / name for name in names] or every:
        broken = folder / "model.tflite"
        yield folder.name, row(broken, folder)
        trains = "train" in {target.label for target in run_targets(AnalysisContext(load(broken)))}
        if trains and (folder / "saved_model").exists():
            with tempfile.TemporaryDirectory() as place:
                broken = Path(place) / "half.tflite"
                broken.write_bytes(half(folder / "saved_model"))
                yield f"{folder.name}, float16", row(broken, folder)


def main() -> None:
    made, names = Path(sys.argv[1]), sys.argv[2:]
    about = (__doc__ or "").split("matching_make.py filled.", 1)[1].strip()
    kept = measured()
    lines = [
        "# The matching suite, trained without Flex", "",
        "Made by `python benchmarks/public/public_matching.py MADE`; do not edit.", "",
        about, "",
        "| architecture | Flex operators | left | training | infer |",
        "| --- | ---: | ---: | --- | ---: |",
    ]  # fmt: skip
    for name, cells in rows(made, names):
        print(name, cells, flush=True)
        kept[name] = f"| {name} | " + " | ".join(cells) + " |"
        TABLE.write_text("\n".join([*lines, *kept.values()]) + "\n", encoding="utf-8")


def measured() -> dict[str, str]:
    """The rows of the table as it is, by name."""
    text = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return {row[2:].split(" | ", 1)[0]: row for row in rows}


if __name__ == "__main__":
    main()
