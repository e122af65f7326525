"""A child that verifies each crafted file within a limit: python -m structure.limits [FILE...]

Prints name, size, milliseconds of processor time, megabytes, faults and the first code, one a line.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from structure.crafted import CASES
from tflrepair.report import damage
from tflrepair.report.style import Style
from tflrepair.structure.salvage import remains
from tflrepair.structure.verify import verify

SECONDS, MEGABYTES = 20, 400  # to stop what has no end; what is promised is 2 s and 200 MB


def main(arguments: list[str]) -> int:
    files = {path: Path(path).read_bytes() for path in arguments}
    files = files or {case.__name__: case() for case in CASES}
    limit = MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS * len(files), SECONDS * len(files)))
    for name, data in files.items():
        began = time.process_time()
        verdict = verify(memoryview(data))
        spent = (time.process_time() - began) * 1000
        damage.remains_text(name, remains(verdict), Style())
        damage.faults_text(verdict, Style())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        first = verdict.faults[0].code if verdict.faults else "-"
        print(f"{name} {len(data)} {spent:.0f} {peak:.0f} {verdict.count} {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
