"""Outputs and inputs that are no plain files, full and read-only disks, streams that fail."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults.bench import FIX, MODEL, NAMED, OUT, PLAIN, WEIGHTS, Bench, Line, bench

_WEAK = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")  # root obeys permissions, too
_LONG = "n" * 251 + ".tf"


def _prepare(place: Bench) -> None:
    folder = place.folder
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "other").write_bytes(b"precious")
    (folder / "link").symlink_to("other")
    (folder / "dangling").symlink_to("nothing")
    os.link(folder / MODEL, folder / "hardlink.tflite")
    (folder / "map.json").write_text("{}")


_OUTPUTS: tuple[tuple[str, ...], ...] = (
    ("-o", MODEL), ("-o", WEIGHTS), ("-o", "hardlink.tflite"), ("-o", "fifo"), ("-o", "folder"),
    ("-o", "link"), ("-o", "dangling"), ("-o", "/dev/null"), ("-o", "/dev/full"),
    ("-o", "/dev/stdout"), ("-o", "nowhere/out"), ("-o", _LONG + "x" * 9), ("-o", ""),
    ("-o", OUT, "--map-out", MODEL), ("-o", OUT, "--map-out", WEIGHTS),
    ("-o", OUT, "--map-out", OUT),
    ("-o", OUT, "--map-out", "fifo"), ("-o", OUT, "--map-out", "link"),
    ("-o", "map.json", "--map", "map.json"),
    ("-o", "input.npz", "--check", "input.npz", "expected.npz"),
)  # fmt: skip
_INPUTS: tuple[tuple[str, ...], ...] = (
    ("--map", "fifo"), ("--map", "/dev/zero"), ("--map", "folder"), ("--map", "nothing"),
    ("--check", "fifo", "fifo"), ("--check", "/dev/zero", "/dev/zero"),
    ("--weights", "fifo"), ("--weights", "/dev/zero"), ("--weights", "/dev/full"),
    ("--weights", "dangling"),
)  # fmt: skip


def outputs_and_inputs() -> Line:
    """Each is refused with exit code 2, at once, and nothing is changed."""
    line = Line("special files as outputs and inputs")
    with bench() as place:
        _prepare(place)
        before = _picture(place.folder)
        for more in (*_OUTPUTS, *(("-o", OUT, *row) for row in _INPUTS)):
            ended = place.run([*FIX, *more, "--force"])
            good = ended.code == 2 and ended.ours and _picture(place.folder) == before
            line.count(good and len(ended.err) < 2000, f"{more}: exit {ended.code} {ended.err!r}")
        for path in ("fifo", "/dev/zero", "folder", "dangling", "nothing"):
            ended = place.run(["scan", path])
            line.count(ended.code == 2 and ended.ours, f"scan {path}: {ended.code} {ended.err!r}")
    return line


def _picture(folder: Path) -> list[tuple[str, int, bytes]]:
    rows = []
    for path in sorted(folder.iterdir()):
        mode = path.lstat().st_mode
        rows.append((path.name, mode, path.read_bytes() if path.is_file() else b""))
    return rows


def full_and_read_only() -> Line:
    """A limit on file size stands for a full disk where none can be mounted."""
    line = Line("no room, read-only and unsearchable folders, unwritable TMPDIR")

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    with bench() as place:
        rows: list[tuple[str, Sequence[str], dict[str, Any], tuple[int, ...]]] = [
            ("no room", [*FIX, "-o", OUT], {"preexec_fn": small}, (2,)),
            ("no TMPDIR", [*FIX, "-o", OUT, "--force"], _with(place, TMPDIR="/nothing"), (0,)),
            ("C locale", [*FIX, "-o", OUT, "--force"], _with(place, LC_ALL="C"), (0,)),
            ("long name", [*FIX, "-o", _LONG], {}, (0,)),
            ("escapes", ["scan", "a\x1b[31m\nb.tflite"], {}, (2,)),
        ]
        for name, arguments, options, wanted in rows:
            ended = place.run(arguments, **options)
            good = ended.code in wanted and ended.ours and not place.leftovers()
            good = good and "\x1b" not in ended.err and ended.err.count("\n") <= 1
            line.count(good, f"{name}: exit {ended.code} {ended.err!r}")
        for name, mode in (("read-only", 0o555), ("unsearchable", 0o600)):
            closed = place.folder / name
            closed.mkdir()
            closed.chmod(mode)
            weak = _WEAK if os.getuid() == 0 else ()
            ended = place.run([*FIX, "-o", f"{name}/{OUT}"], [*weak, *PLAIN])
            line.count(ended.code == 2 and ended.ours, f"{name}: {ended.code} {ended.err!r}")
            closed.chmod(0o700)
        _closed_folders(place, line)
    return line


def _closed_folders(place: Bench, line: Line) -> None:
    """Models in folders that may not be listed or searched are told, and the others are read."""
    weak = _WEAK if os.getuid() == 0 else ()
    for name, mode in (("unlisted", 0), ("unsearched", 0o444)):
        folder = place.folder / "models" / name
        folder.mkdir(parents=True)
        (folder / "m.tflite").write_bytes((place.folder / MODEL).read_bytes())
        folder.chmod(mode)
    (place.folder / "models" / "m.tflite").write_bytes((place.folder / MODEL).read_bytes())
    for words in (["models"], ["models", "--jobs", "2"], ["models/unlisted"],
                  ["models/unsearched"], ["models/unsearched/m.tflite"]):  # fmt: skip
        ended = place.run(["scan", *words], [*weak, *PLAIN])
        good = ended.code == 2 and ended.ours and "report" not in ended.err
        good = good and ("3 models: " in ended.out) == (words[0] == "models")
        line.count(good, f"scan {words}: {ended.code} {ended.out!r} {ended.err!r}")
    for folder in (place.folder / "models").glob("un*"):
        folder.chmod(0o700)


def mounted() -> Line:
    """A real full disk and a real read-only one: file systems in memory, where we may mount."""
    line = Line("mounted: full disk, disk that fills up, read-only file system")
    script = 'mount -t tmpfs -o size={size} tmpfs disk && {then} && exec "$@"'
    seconds = "mount -o remount,ro disk"
    rows = [
        (
            "full",
            script.format(size="64k", then="! head -c 100k /dev/zero 2> /dev/null > disk/filler"),
        ),
        ("fills up", script.format(size="16k", then="true")),
        ("read-only", script.format(size="1m", then=seconds)),
    ]
    with bench() as place:
        (place.folder / "disk").mkdir()
        for name, text in rows:
            inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", text, "sh")
            ended = place.run([*FIX, "-o", f"disk/{OUT}"], [*inside, *PLAIN])
            if "unshare" in ended.err or "mount" in ended.err:
                line.note = "not run: no file system can be mounted here"
                return line
            good = ended.code == 2 and ended.ours and ended.err.count("\n") == 1
            line.count(good and not place.leftovers(), f"{name}: {ended.code} {ended.err!r}")
        line.count(_named_on_a_full_disk(place), "leftovers on a full disk")
    return line


def _named_on_a_full_disk(place: Bench) -> bool:
    """Nothing of ours stays on a disk that filled up, also where files must have names."""
    text = 'mount -t tmpfs -o size=16k tmpfs disk && ("$@" || true) && ls -A disk'
    inside = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", text, "sh")
    ended = place.run([*FIX, "-o", f"disk/{OUT}"], [*inside, *NAMED])
    return not ended.out.strip() and "Traceback" not in ended.err


def _with(place: Bench, **variables: str) -> dict[str, object]:
    return {"env": {**place.environment, **variables}}


def streams() -> Line:
    """Exit code 1 means problems found; a report that cannot be written is 2."""
    line = Line("closed, full and abandoned streams")

    def close_stdout() -> None:
        os.close(1)

    def close_stderr() -> None:
        os.close(2)

    with bench() as place, Path("/dev/full").open("wb") as full:
        for arguments in (["scan", MODEL], ["scan", "--format", "json", MODEL], ["--help"]):
            for name, options in (
                ("stdout closed", {"preexec_fn": close_stdout}),
                ("stdout full", {"stdout": full}),
            ):
                ended = place.run(arguments, **options)
                line.count(ended.code == 2 and ended.ours, f"{name}: {ended.code} {ended.err!r}")
            ended = place.run(arguments, ["sh", "-c", '(sleep 0.5; "$@"; echo $? >code) | true', "",
                                          *PLAIN])  # fmt: skip
            code = _number(place.folder / "code")
            line.count(code == 2 and ended.ours, f"reader left: {code} {ended.err!r}")
        for name, options in (
            ("stderr closed", {"preexec_fn": close_stderr}),
            ("stderr full", {"stderr": full}),
        ):
            ended = place.run(["scan", "nothing"], **options)
            line.count(ended.code == 2 and ended.ours, f"{name}: {ended.code}")
    return line


def _number(path: Path) -> int:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        time.sleep(0.05)
    return -1


def two_writers(count: int) -> Line:
    """Two runs for one output: without --force one of them has it, with --force the last."""
    line = Line("two writers at once")
    with bench() as place:
        for number in range(count):
            force = ["--force"] if number % 2 else []
            (place.folder / OUT).unlink(missing_ok=True)
            both = [place.start([*FIX, "-o", OUT, *force]) for _ in range(2)]
            for process in both:
                process.communicate(timeout=120)
            codes = sorted(process.returncode for process in both)
            whole = place.run(["scan", OUT]).code == 0
            good = codes == ([0, 0] if force else [0, 2]) and whole and not place.leftovers()
            line.count(good, f"exit codes {codes}, whole {whole}, left {place.leftovers()}")
    return line


def truncated_while_read(count: int, seed: int) -> Line:
    """Inputs cut short at random moments, small ones and one so large that it stays on the disk."""
    line = Line("inputs cut short while they are read")
    rng = random.Random(seed)
    with bench() as place:
        originals = {n: (place.folder / n).read_bytes() for n in (MODEL, WEIGHTS)}
        for number in range(count):
            name = MODEL if number % 3 else WEIGHTS
            for each, data in originals.items():
                (place.folder / each).write_bytes(data)
            if number % 3 == 1:
                os.truncate(place.folder / MODEL, 100 << 20)  # sparse, and read in pieces
            process = place.start([*FIX, "-o", OUT, "--force"])
            time.sleep(rng.uniform(0, 1.2))
            os.truncate(place.folder / name, rng.choice((0, 7, 100, 5000)))
            _, err = process.communicate(timeout=120)
            good = process.returncode in (0, 2) and b"Traceback" not in err
            line.count(good, f"{name}: exit {process.returncode} {err!r}")
            (place.folder / OUT).unlink(missing_ok=True)
        line.wrong += [f"left {name}" for name in place.leftovers()]
    return line
