"""``make faults KILLS=n``: all faults in turn, and a table.

    cd tests && python -m faults.run [KILLS] [SEED]

Exit code 1 if anything went wrong. Linux; some of the cases need util-linux when run as root.
"""

from __future__ import annotations

import sys
import time

from faults import audits, commands, files, hostile, kills, waste
from faults.bench import Case


def cases(count: int, seed: int) -> list[Case]:
    few = max(3, count // 10)
    chosen = (*commands.LIGHT, *commands.HEAVY)
    return [
        lambda: kills.kill_9(count - count // 2, seed, named=False),
        lambda: kills.kill_9(count // 2, seed + 1, named=True),
        lambda: kills.signals(max(6, count // 8), seed + 2),
        lambda: commands.signals(chosen, seed + 4),
        lambda: commands.full(chosen),
        lambda: files.truncated_while_read(few, seed + 3),
        lambda: files.two_writers(max(2, count // 25)),
        files.outputs_and_inputs,
        files.full_and_read_only,
        files.mounted,
        files.streams,
        hostile.weights,
        hostile.models,
        lambda: audits.readers_killed(few, seed + 5),
        lambda: audits.audits_killed(few, seed + 6),
        audits.without_temporary_folders,
        waste.line,
        waste.servers,
    ]


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20240
    bad = 0
    print("| fault | runs | wrong | seconds | |\n|---|---|---|---|---|", flush=True)
    for case in cases(count, seed):
        begin = time.monotonic()
        line = case()
        row = (line.name, line.runs, len(line.wrong), round(time.monotonic() - begin), line.note)
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
        for text in line.wrong:
            print(f"    {text}", file=sys.stderr, flush=True)
        bad += len(line.wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
