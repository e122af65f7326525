"""The same targets, guided by coverage: atheris (libFuzzer for Python), where it is installed.

    python -m fuzz.guided TARGET SECONDS FOLDER

A child of ``fuzz.run``. libFuzzer keeps what reaches new lines in FOLDER/corpus and reports on
stderr; the last line on stdout is JSON: executions, covered edges, finds.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

_STATS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+)")


def fuzz(name: str, seconds: float, folder: Path) -> None:
    """Run libFuzzer in this process; it does not come back."""
    import atheris

    with atheris.instrument_imports(include=["tflrepair"]):
        from fuzz.targets import all_targets
    from fuzz import worker

    target = all_targets()[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for file, data in target.files.items():
        (corpus / file.replace(" ", "-")).write_bytes(data)
    first = next(iter(target.files))

    def one(data: bytes) -> None:
        found = worker.attempt(target, data, folder, first)
        if found:
            raise AssertionError(found)

    def change(data: bytes, _most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5 and len(data) > 8:
            with contextlib.suppress(Exception):  # a damaged base has no fields to change
                return bytes(target.change(rng, data))
        return bytes(atheris.Mutate(data, max(len(data), 64)))

    options = [f"-max_total_time={int(seconds)}", "-timeout=20", "-rss_limit_mb=1200"]
    options += [f"-artifact_prefix={folder}/", "-max_len=60000", "-detect_leaks=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=change)
    worker.arm()
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    name, seconds, folder = arguments[0], float(arguments[1]), Path(arguments[2])
    if os.environ.get("FUZZ_INSIDE"):
        fuzz(name, seconds, folder)
    folder.mkdir(parents=True, exist_ok=True)
    before = {path.name for path in folder.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.guided", *arguments],
        env={**os.environ, "FUZZ_INSIDE": "1"}, capture_output=True, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    stats = _STATS.findall(done.stderr) or [("0", "0")]
    cases = {path.name for path in folder.iterdir()} - before
    finds = [f"{case}: {done.stderr[-400:]}" for case in cases if case.startswith(_ARTIFACTS)]
    if done.returncode and not finds:
        finds.append(f"it ends with {done.returncode}: {done.stderr[-400:]}")
    result = {"executions": int(stats[-1][0]), "edges": int(stats[-1][1]), "finds": finds}
    print(json.dumps(result))
    return 0


_ARTIFACTS = ("crash-", "timeout-", "oom-", "leak-", "slow-unit-")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
