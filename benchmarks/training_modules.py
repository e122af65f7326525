"""Training modules of many kinds, from broken files, trained without Flex: how near to eager.

    python benchmarks/training_modules.py [--cases DIR] [NAME...]

writes benchmarks/training_modules.md; with names, the rows of the others stay. For each network of
tests/makers/training.py a file is made broken by the real converter, given its values, rebuilt
without Flex, and run under LiteRT with and without XNNPACK, batches of one and of eight on the same
file included.

*gradient*: the worst of all variables' first-step gradients and averaged weights, its distance from
float64 over what eager float32 itself is off by or moves by when the input changes by 1e-7 (1 and
less: as good as eager). *noise*: what eager is off by itself, the median of the variables.
*loss*: the largest difference over five steps. The larger of both delegates is shown.

mobile is a whole MobileNetV2 whose ReLU6 is swish, on 16 images of 32 x 32: its gradients are
smooth, and eager's are exact to 2e-5. With ReLU6 a unit that rounding moves over a kink changes
gradients by steps, in eager and here: mobile_relu6, 16 images of 96 x 96. mobile_frozen, three
images of 32 x 32, has ReLU6 and batch norms that are not trained. mobile_three has them trained,
and its last maps are of one pixel, so that they divide by the deviation of three numbers, block
after block: what is 5e-5 before the last four blocks is a half behind them, in eager, too. No
comparison of numbers says anything about such a net. The rate of all modules is high for these: the
losses of mobile_frozen grow to 306, and the difference with them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".md")
sys.path.insert(0, str(ROOT / "tests"))


def row(name: str, folder: Path) -> str:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
    from makers.training import make_one
    from rebuild.lower.judging import DELEGATES, judge, lowered

    from tflrepair.errors import TflRepairError
    from tflrepair.graph.model import from_bytes, load

    if not (folder / "eager.npz").exists():
        folder.mkdir(parents=True, exist_ok=True)
        make_one(name, folder)
    with np.load(folder / "eager.npz") as stored:
        eager = {key: stored[key] for key in stored.files}
    try:
        result = lowered(folder)
    except TflRepairError as error:
        return f"| {name} | refused: {error.message[:80]} | | | | | |"
    verdicts = [judge(result.data, eager, delegate) for delegate in DELEGATES]
    train = Interpreter(model_content=result.data).get_signature_runner("train")
    rows = ([0], [0, 1, 2, 0, 1, 2, 0, 1])
    finite = all(np.isfinite(train(x=eager["x"][r], y=eager["y"][r])["loss"]) for r in rows)
    models = load(folder / "model.tflite"), from_bytes(result.data)
    counts = [sum(subgraph.operator_count for subgraph in m.subgraphs) for m in models]
    cells = [
        name,
        f"{max(v.gradient for v in verdicts):.1f}",
        f"{verdicts[0].noise:.0e}",
        f"{max(v.loss for v in verdicts):.0e}",
        "yes" if finite else "no",
        f"{counts[0]} -> {counts[1]}",
        ", ".join(note for note in result.notes if "unrolled" in note),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    import training_mobile
    from makers.training import NETWORKS

    training_mobile.add()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cases", type=Path)
    options = parser.parse_args()
    here()
    found = measured() if options.names else {}
    with tempfile.TemporaryDirectory() as work:
        for name in options.names or NETWORKS:
            found[name] = row(name, (options.cases or Path(work)) / name)
            print(found[name], flush=True)
            write([found[name] for name in NETWORKS if name in found])


def measured() -> dict[str, str]:
    """What the table says already, by name."""
    lines = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    rows = [line for line in lines if line.startswith("| ")][2:]
    return {line.split(" | ", 1)[0].strip("| "): line for line in rows}


def here() -> None:
    """Convert in this process: starting one for each of so many would take most of the time."""
    from tflrepair.rebuild.lower import convert
    from tflrepair.tensorflow import convert_worker

    def in_process(folder: Path, keys: list[str], options: Any, *, hint: str) -> bytes:
        return convert_worker.convert(str(folder), keys, options)

    vars(convert)["convert_saved_model"] = in_process


def write(found: list[str]) -> None:
    text = (__doc__ or "").split("\n\n")
    lines = [
        "# Training modules without Flex",
        "",
        "Made by `python benchmarks/training_modules.py`; do not edit.",
        "",
        *"\n\n".join(text[2:]).strip().splitlines(),
        "",
        f"tensorflow {version('tensorflow')}, keras {version('keras')}, "
        f"ai-edge-litert {version('ai-edge-litert')}.",
        "",
        "| module | gradient | noise | loss | batches 1 and 8 | operators | loops |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- |",
        *found,
    ]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
