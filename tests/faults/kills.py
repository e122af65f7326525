"""Killing at random moments: nothing torn, nothing left, nobody orphaned."""

from __future__ import annotations

import os
import random
import signal
import time

from faults.bench import FIX, MODEL, NAMED, OUT, PLAIN, SAMPLES, WEIGHTS, Bench, Line, bench

_SIGNALS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


def _whole(place: Bench) -> tuple[bytes, float]:
    """The output as it should be, and how long a run takes that nobody disturbs."""
    begin = time.monotonic()
    ended = place.run([*FIX, "-o", OUT])
    assert ended.code == 0, ended.err
    data = (place.folder / OUT).read_bytes()
    (place.folder / OUT).unlink()
    return data, time.monotonic() - begin


def _inputs_intact(place: Bench) -> bool:
    names = (MODEL, WEIGHTS)
    return all((place.folder / n).read_bytes() == (SAMPLES / n).read_bytes() for n in names)


def kill_9(count: int, seed: int, *, named: bool) -> Line:
    """kill -9 at random moments; half of the runs replace an output that is there."""
    line = Line(f"kill -9, outputs {'with a name' if named else 'without a name (O_TMPFILE)'}")
    rng = random.Random(seed)
    torn = left = 0
    with bench() as place:
        data, seconds = _whole(place)
        out = place.folder / OUT
        for number in range(count):
            before = b"precious" if number % 2 else None
            out.unlink(missing_ok=True)
            if before:
                out.write_bytes(before)
            process = place.start([*FIX, "-o", OUT, "--force"], NAMED if named else PLAIN)
            time.sleep(rng.uniform(0, seconds * 1.1))
            process.kill()
            process.communicate()
            now = out.read_bytes() if out.exists() else None
            whole = now in (data, before) and _inputs_intact(place)
            torn += not whole
            orphans = place.orphans()
            line.count(whole and not orphans, f"run {number}: torn {not whole}, orphans {orphans}")
            left += len(place.leftovers())
            if number % 10 == 9:
                _next_run_cleans(place, line)
        _next_run_cleans(place, line)
    line.note = f"{torn} torn; {left} leftovers seen, all removed by the next run"
    return line


def _next_run_cleans(place: Bench, line: Line) -> None:
    """A folder that had no lock yet, or no more, is taken a minute later."""
    place.run([*FIX, "-o", OUT, "--force"], NAMED)
    unlocked = [path for path in place.temporary.iterdir() if not (path / ".owner").exists()]
    if unlocked:
        for path in unlocked:
            os.utime(path, (time.time() - 61,) * 2)
        place.run([*FIX, "-o", OUT, "--force"], NAMED)
    left = {p.name: sorted(map(str, p.rglob("*"))) for p in place.temporary.iterdir()}
    if place.leftovers():
        line.wrong.append(f"the next run left {place.leftovers()}, {left}")


def signals(count: int, seed: int) -> Line:
    """SIGTERM, SIGHUP and Ctrl-C: the exit code says so, and nothing is left at all."""
    line = Line("SIGTERM, SIGHUP, SIGINT")
    rng = random.Random(seed)
    codes: dict[int, int] = {}
    with bench() as place:
        _, seconds = _whole(place)
        for number in range(count):
            kind = list(_SIGNALS)[number % 3]
            begin = time.monotonic()
            process = place.start([*FIX, "-o", OUT, "--force"], NAMED if number % 2 else PLAIN)
            time.sleep(rng.uniform(0.2 * seconds, 0.9 * seconds))
            process.send_signal(kind)
            _, err = process.communicate(timeout=30)
            code = process.returncode
            if code == 0:  # it came too late: the machine has become faster
                seconds = min(seconds, time.monotonic() - begin)
            codes[code] = codes.get(code, 0) + 1
            left, orphans = place.leftovers(), place.orphans()
            # before our own code has started, the system's handling is in force
            good = code in (_SIGNALS[kind], 0, -kind) and not left and not orphans
            good = good and b"Traceback" not in err
            line.count(good, f"{kind.name}: exit {code}, left {left}, orphans {orphans}, {err!r}")
    if not set(codes) & set(_SIGNALS.values()):
        line.wrong.append("no run was stopped by our own handling")
    line.note = ", ".join(f"exit {code}: {n}" for code, n in sorted(codes.items()))
    return line
