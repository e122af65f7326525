"""Training modules in the manner of public ones, without Flex, from a broken file and from source.

    python benchmarks/public/run.py [NAME...]

writes benchmarks/public/training.md; the rows of other names stay as they are.

Each module of tests/rebuild/public/samples.py is converted as its author does, which loses its
values. Then it goes two ways: the broken file with the weights that a user has
(`fix --weights W --no-flex`), and the module itself (`convert(..., flex=False)`). Both train under
a stock LiteRT, from the same start and on the same examples as eager TensorFlow. No Flex operator
is left in those that have figures.

*loss*: the largest difference over ten steps, relative to the loss. *state*: after one step, the
worst of all variables, optimizer included: its distance from eager TensorFlow in float64, over what
eager float32 itself is off by or moves by when the inputs change by 1e-7 (1 and less: as good as
eager; squares double it). A bias ahead of batch normalization has a gradient of exactly 0, so all
that float32 makes of it is noise, in every kernel: such are the worst of `recurrent` and `digits`.
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
    about = (__doc__ or "").split("as they are.", 1)[1].strip()
    rows = measured()
    lines = [
        "# Public training modules without Flex", "",
        "Made by `python benchmarks/public/run.py`; do not edit.", "",
        about, "",
        f"tensorflow {version('tensorflow')}, keras {version('keras')}, "
        f"ai-edge-litert {version('ai-edge-litert')}.", "",
        "| name | in the manner of | what it has | Flex operators | unset variables | "
        "fix: loss | state | convert: loss | state |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    for name in names:
        found = one(name)
        print(name, json.dumps(found, default=str), flush=True)
        empty = Row(0, 0, f"{found.get('error', '')} |")
        cells = [found.get(key, empty) for key in ("flex", "unset", "fix", "convert")]
        sample = SAMPLES[name]
        rows[name] = " | ".join(map(str, (name, sample.source, sample.has, *cells)))
        table = [f"| {rows[key]} |" for key in SAMPLES if key in rows]
        TABLE.write_text("\n".join([*lines, *table]) + "\n", encoding="utf-8")


def measured() -> dict[str, str]:
    """What the table says already, by name."""
    if not TABLE.exists():
        return {}
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ") for line in lines if line.startswith("| ")][2:]
    return {row.split(" | ", 1)[0]: row for row in rows}


if __name__ == "__main__":
    main()
