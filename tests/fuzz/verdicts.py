"""Our verdict on damaged models against that of the runtimes' loaders.

    cd tests && python -m fuzz.verdicts MUTANTS [SEED] [FOLDER...]

Prints how many mutants each refuses and how many we accept that a loader refuses (there must be
none), and by which rules we refuse what both load. FOLDERs with .tflite files give more seeds.
Where TensorFlow lacks a version of an operator that LiteRT has, its refusal is not counted.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz import mutate, seeds
from fuzz.judges import Judge
from tflrepair.commands.scan import scan
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import from_bytes
from tflrepair.structure.verify import DamagedError

_LARGEST_SEED = 100_000
_NEWER = "Didn't find op for builtin opcode"


@dataclass
class Tally:
    """What came out.

    Attributes:
        lenient: (seed, mutant, why a loader refuses it) of what we accept.
        stricter: by which rule we refuse what every loader takes.
    """

    mutants: int = 0
    ours: int = 0
    theirs: Counter[str] = field(default_factory=Counter)
    lenient: list[tuple[str, bytes, str]] = field(default_factory=list)
    stricter: Counter[str] = field(default_factory=Counter)


def refuses(data: bytes) -> str:
    """The code of the first fault or error that we find; empty if there is none."""
    try:
        found = scan(from_bytes(data), select=["TFR014"]).findings
    except DamagedError as error:
        return error.verdict.faults[0].code
    except TflRepairError:
        return "refused"
    return found[0].code if found else ""


def compare(files: dict[str, bytes], mutants: int, seed: int, judges: Iterable[Judge]) -> Tally:
    """Judge ``mutants`` mutants of ``files``."""
    rng, tally, names = random.Random(seed), Tally(), sorted(files)
    for _ in range(mutants):
        name = rng.choice(names)
        data = mutate.tflite(rng, files[name])
        if data == files[name]:
            continue
        tally.mutants += 1
        ours = refuses(data)
        tally.ours += bool(ours)
        verdicts = {judge.runtime: judge.refuses(data) for judge in judges}
        tally.theirs.update(runtime for runtime, reason in verdicts.items() if reason)
        reasons = [
            f"{runtime}: {reason}"
            for runtime, reason in verdicts.items()
            if reason and not (runtime != "litert" and _NEWER in reason)
        ]
        if reasons and not ours:
            tally.lenient.append((name, data, reasons[0]))
        elif ours and not any(verdicts.values()):
            tally.stricter[ours] += 1
    return tally


def main(arguments: list[str]) -> int:
    mutants, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    files = seeds.models()
    for folder in arguments[2:]:
        for path in sorted(Path(folder).rglob("*.tflite")):
            data = path.read_bytes() if path.stat().st_size < _LARGEST_SEED else b""
            if data and not refuses(data):
                files[str(path)] = data
    judges = [Judge("litert"), Judge("tf.lite")]
    tally = compare(files, mutants, seed, judges)
    for judge in judges:
        judge.close()
    print(f"{tally.mutants} mutants of {len(files)} seeds; we refuse {tally.ours}")
    for runtime, count in tally.theirs.items():
        print(f"  {runtime} refuses {count}")
    print(f"accepted by us, refused by a loader: {len(tally.lenient)}")
    for number, (name, data, reason) in enumerate(tally.lenient):
        path = Path(f"lenient-{seed}-{number}.tflite")
        path.write_bytes(data)
        print(f"  {path} (of {name}): {reason[:200]}")
    strict = ", ".join(f"{code} {count}" for code, count in sorted(tally.stricter.items()))
    print(f"refused by us alone: {tally.stricter.total()} ({strict})")
    return bool(tally.lenient)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
