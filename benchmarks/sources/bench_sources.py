"""What a scan reads of a model on a server, and what each of very many small models costs.

    python benchmarks/sources/bench_sources.py [--only remote|many] [--models 10000]

- remote: models of 2 GB in sparse files, behind a local web server that gives ranges and counts
  what it sends: the layout of converters (a table in front of each weight, all over the file), and
  weights behind the flatbuffer (Buffer.offset);
- many: a folder of small models on one core, in seconds of the processor (user and system).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

MOST = 2_000_000  # bytes that a scan of 2 GB may cost


def remote(folder: Path) -> Iterator[tuple[str, bool]]:
    """Bytes and requests of a scan; the answer must be that of the local file."""
    from giants.make import gather
    from sources.server import serving
    from sources.sparse import scattered

    import tflrepair

    makers = {
        "100 weights of 20 MB": partial(scattered, layers=100, floats=5_000_000),
        "400 weights of 5 MB": partial(scattered, layers=400, floats=1_250_000),
        "1,000 weights of 2 MB": partial(scattered, layers=1_000, floats=500_000),
        "3 GB behind the flatbuffer": partial(gather, size=3_000_000_000),
    }
    for name, make in makers.items():
        path = folder / "model.tflite"
        make(path)
        local = [str(finding) for finding in tflrepair.scan(path).findings]
        with serving(path) as served:
            begin = time.process_time()
            result = tflrepair.scan(served.address)
            seconds = time.process_time() - begin
        good = served.sent <= MOST and [str(f) for f in result.findings] == local
        size, cost = path.stat().st_size / 1e9, served.sent / 1e6
        text = f"{size:.2f} GB: {cost:.3f} MB in {served.asked} requests, {seconds:.2f} s CPU"
        yield f"{name:<28} {text}", good
        path.unlink()


def many(folder: Path, count: int) -> Iterator[tuple[str, bool]]:
    """Copies of a shipped model, as ``scan DIR`` reads them; the first tenth warms up."""
    from tflrepair.commands.scan import ScanResult, scan_all

    data = (ROOT / "tests" / "data" / "healthy.tflite").read_bytes()
    for number in range(count):
        (folder / f"{number:06}.tflite").write_bytes(data)
    marks = []
    for number, (_, outcome) in enumerate(scan_all(folder)):
        if not isinstance(outcome, ScanResult) or not outcome.ok:
            raise SystemExit(f"{outcome}")
        if number % (count // 10) == count // 10 - 1:
            marks.append(time.process_time())
    each = (marks[-1] - marks[0]) / (count * 9 // 10) * 1e3
    last = (marks[-1] - marks[-2]) / (count // 10) * 1e3
    yield f"{count:,} small models: {each:.2f} ms each, the last tenth {last:.2f} ms", each <= 1.5


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="remote or many")
    parser.add_argument("--models", type=int, default=10_000)
    wanted = parser.parse_args()
    missed = 0
    parts: dict[str, Callable[[Path], Iterator[tuple[str, bool]]]] = {
        "remote": remote,
        "many": partial(many, count=wanted.models),
    }
    for name, part in parts.items():
        if wanted.only in name:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                for text, met in part(Path(folder)):
                    missed += not met
                    print(text, "" if met else "MISSED", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
