"""Training modules in the manner of public ones, without Flex, from a broken file and from source.

    python benchmarks/public/run.py [NAME...]

writes benchmarks/public/training.md. Each module of tests/rebuild/public/samples.py is converted
as its author does, which loses its values. Then it goes two ways: the broken file with the weights
that a user has (`fix --weights W --no-flex`), and the module itself (`convert(..., flex=False)`).
Both train under a stock LiteRT, from the same start and on the same examples as eager TensorFlow.
No Flex operator is left in any of them.

*loss*: the largest difference over ten steps, relative to the loss. *state*: the largest
difference of a variable after one step, relative to the largest change that the step made.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
TABLE = Path(__file__).with_name("training.md")


def main() -> None:
    from rebuild.public.judging import Row, one
    from rebuild.public.samples import SAMPLES

    names = sys.argv[1:] or list(SAMPLES)
    about = (__doc__ or "").split("run.py [NAME...]", 1)[1].strip()
    lines = [
        "# Public training modules without Flex", "",
        "Made by `python benchmarks/public/run.py`; do not edit.", "",
        about.replace("writes benchmarks/public/training.md. ", ""), "",
        f"tensorflow {version('tensorflow')}, keras {version('keras')}, "
        f"ai-edge-litert {version('ai-edge-litert')}.", "",
        "| in the manner of | what it has | Flex operators | unset variables | fix: loss | state | "
        "convert: loss | state |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    for name in names:
        found = one(name)
        print(name, json.dumps(found, default=str), flush=True)
        empty = Row(0, 0, f"{found.get('error', '')} |")
        row = [found.get(key, empty) for key in ("flex", "unset", "fix", "convert")]
        sample = SAMPLES[name]
        lines.append(f"| {sample.source} | {sample.has} | " + " | ".join(map(str, row)) + " |")
    if names == list(SAMPLES):
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
