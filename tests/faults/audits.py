"""An audit whose reading process is killed, or itself, or which has no folder for temporary files.

``tests/audit`` has what such a process may answer, and servers that mean harm.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from faults.bench import FIX, MODEL, PLAIN, WEIGHTS, Bench, Line, bench

_AUDIT = """
import json, sys
from tflrepair.audit.scanner import Scanner
scanner = Scanner((), (), False, 60)
for line in sys.stdin:
    print(json.dumps(scanner.rows(line.strip())), flush=True)
scanner.close()
"""
_VERIFY = ("verify", MODEL, "--runtime", "litert")
_COMMAND = (sys.executable, "-c", _AUDIT)
# a folder that Python can use for temporary files is nowhere: neither named nor found
_NOWHERE = """
for place in /tmp /var/tmp /usr/tmp "$PWD"; do
    if [ -d "$place" ]; then mount --bind "$place" "$place" && mount -o remount,bind,ro "$place"; fi
done
exec "$@"
"""
_MOUNT = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", _NOWHERE, "sh")


def _start(place: Bench, *before: str, **options: object) -> subprocess.Popen[bytes]:
    return place.start([], [*before, *_COMMAND], stdin=subprocess.PIPE, **options)


def _children(number: int) -> list[int]:
    """The processes that ``number`` has started (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{number}/task").glob("*"):
        try:
            found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def readers_killed(count: int, seed: int) -> Line:
    """The process that reads is killed while it reads every second model: no row says so.

    It had read one before, and so the model is not to blame until a new process dies of it, too.
    """
    line = Line("audit: the process that reads is killed (-9, TERM, SEGV)")
    rng = random.Random(seed)
    kills = 0
    with bench() as place, _start(place) as audit:
        assert audit.stdin and audit.stdout and audit.stderr
        while kills < count:
            assert _asked(audit)  # one that lives
            audit.stdin.write(f"{MODEL}\n".encode())
            audit.stdin.flush()
            time.sleep(rng.uniform(0, rng.choice((0.001, 0.02))))
            kind = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV))
            for child in _children(audit.pid):
                os.kill(child, kind)
                kills += 1
            answer = audit.stdout.readline()
            good = [row["result"] is not None for row in json.loads(answer or b"[]")] == [True]
            line.count(good, f"{kind.name}: {answer[-300:]!r}")
            if not answer:
                line.wrong.append(f"the audit ended: {audit.stderr.read()[-300:]!r}")
                break
        audit.stdin.write(f"{MODEL}\nnothing\n".encode())
        audit.stdin.close()
        last = [json.loads(text)[0] for text in audit.stdout.read().splitlines()]
        code = audit.wait(60)
        good = code == 0 and [row["result"] is not None for row in last] == [True, False]
        good = good and not place.orphans() and not place.leftovers()
        line.count(good, f"at the end: exit {code}, {place.orphans()}, {place.leftovers()}")
    line.note = f"{kills} kills"
    return line


def _asked(audit: subprocess.Popen[bytes]) -> bytes:
    assert audit.stdin and audit.stdout
    audit.stdin.write(f"{MODEL}\n".encode())
    audit.stdin.flush()
    return audit.stdout.readline()


def audits_killed(count: int, seed: int) -> Line:
    """The audit itself is killed: nobody lives on, nothing is left."""
    line = Line("audit: killed itself (-9, TERM), while it reads")
    rng = random.Random(seed)
    with bench() as place:
        for number in range(count):
            kind = (signal.SIGKILL, signal.SIGTERM)[number % 2]
            audit = _start(place)
            assert audit.stdin
            audit.stdin.write(f"{MODEL}\n".encode() * 1000)
            audit.stdin.flush()
            time.sleep(rng.uniform(0, 0.8))
            audit.send_signal(kind)
            _, err = audit.communicate()
            left, orphans = place.leftovers(), place.orphans()
            good = audit.returncode == -kind and not left and not orphans and not err
            line.count(good, f"{kind.name}: {audit.returncode}, {left}, {orphans}, {err[-300:]!r}")
    return line


def without_temporary_folders() -> Line:
    """TMPDIR is absent, is a file, or nothing; and no other folder can be written either."""
    line = Line("audit and other commands: no folder for temporary files")
    with bench() as place:
        _pack(place)
        for where in ("/nothing", str(place.folder / MODEL), ""):
            other: dict[str, object] = {"env": {**place.environment, "TMPDIR": where}}
            _read(line, f"TMPDIR={where}", _start(place, **other))
            for words in (["scan", "m.zip"], [*_VERIFY, "--python", sys.executable]):
                ended = place.run(words, PLAIN, **other)
                line.count(ended.code == 1 and ended.ours, f"{words}: {ended.code} {ended.err!r}")
        if not _read(line, "none at all", _start(place, *_MOUNT)):
            line.note = "not all run: no file system can be mounted here"
            return line
        keras = ["fix", MODEL, "--weights", "p.keras", *FIX[4:], "--dry-run"]
        for words in (["scan", "m.zip"], keras, [*_VERIFY], ["diff", MODEL, MODEL, "--run"]):
            ended = place.run(words, [*_MOUNT, *PLAIN])
            good = ended.code == 2 and ended.ours and "set TMPDIR to a writable" in ended.err
            line.count(good, f"{words}: {ended.code} {ended.err!r}")
    return line


def _pack(place: Bench) -> None:
    """A model and weights that must be unpacked onto the disk."""
    for name, inside, source in (
        ("m.zip", MODEL, MODEL),
        ("p.keras", "model.weights.h5", WEIGHTS),
    ):
        with zipfile.ZipFile(place.folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(place.folder / source, inside)
            if name.endswith(".keras"):
                archive.writestr("config.json", "{}")


def _read(line: Line, name: str, audit: subprocess.Popen[bytes]) -> bool:
    """Of two inputs one is a model. False where the folders cannot be made read-only."""
    out, err = audit.communicate(f"{MODEL}\nnothing\n".encode())
    if b"unshare" in err or b"mount" in err:
        return False
    rows = [json.loads(text)[0] for text in out.splitlines()]
    good = [row["result"] is not None for row in rows] == [True, False] and not err
    line.count(good, f"{name}: {out[-300:]!r} {err[-300:]!r}")
    return True
