"""Every other command under what ends it: signals, a full disk, a full stream.

``kills`` and ``files`` do more of it to ``fix``, which writes most. A signal is sent once the
process handles it, some time later, and again sooner where the run had ended before.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faults.bench import FIX, OUT, PLAIN, SAMPLES, Bench, Ended, Line, bench

CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
_FIXED = "fixed.tflite"
_JSON = ("--format", "json")
_MODULE = """
import tensorflow as tf

class Small(tf.Module):
    def __init__(self):
        self.v = tf.Variable([1.0, 2.0], name="v")

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def run(self, x):
        return {"y": self.v + x}
"""


@dataclass(frozen=True)
class Command:
    """A call of the command line, with an output that may be put elsewhere.

    Attributes:
        words: the call; ``{out}`` stands for the folder of the output.
        tensorflow: it loads TensorFlow, which takes seconds, so it runs once and not three times.
        works: it needs a folder for temporary files.
        seconds: within which the signal is sent.
    """

    words: tuple[str, ...]
    tensorflow: bool = False
    works: bool = True
    seconds: float = 0.5

    def inside(self, folder: str) -> list[str]:
        return [word.format(out=folder) for word in self.words]

    @property
    def writes(self) -> bool:
        return any("{out}" in word for word in self.words)


LIGHT = (
    Command(("train", _FIXED, "--data", "training.npz", "-o", "{out}/" + OUT)),
    Command(("extract", _FIXED, "-o", "{out}/out.npz"), works=False),
    Command(("extract", _FIXED, "-o", "{out}/out.safetensors"), works=False),
    Command(("extract", _FIXED, "-o", "{out}/out.h5"), works=False),
    Command(("extract", _FIXED, "--signature", "infer", "-o", "{out}/" + OUT), works=False),
    Command(("add-state", _FIXED, "-o", "{out}/" + OUT)),
    Command(("diff", _FIXED, "copy.tflite", "--run")),
    Command(("show", _FIXED), works=False),
    Command(("demo", "--train"), seconds=3),
)
HEAVY = (
    Command(("convert", "small.py:Small", "-o", "{out}/" + OUT), tensorflow=True, seconds=4),
    Command(
        ("rebuild", _FIXED, "--emit-python", "{out}/out.py"),
        tensorflow=True,
        works=False,
        seconds=4,
    ),
    Command(("rebuild", _FIXED, "--no-flex", "-o", "{out}/" + OUT), tensorflow=True, seconds=4),
    Command(("demo",), tensorflow=True, seconds=4),
)


def _prepare(place: Bench) -> None:
    ended = place.run([*FIX, "-o", _FIXED])
    assert ended.code == 0, ended.err
    (place.folder / "copy.tflite").write_bytes((place.folder / _FIXED).read_bytes())
    (place.folder / "small.py").write_text(_MODULE)

    (place.folder / "training.npz").write_bytes((SAMPLES / "training.npz").read_bytes())
    (place.folder / "disk").mkdir()
    (place.folder / "__pycache__").mkdir()


def signals(commands: tuple[Command, ...], seed: int) -> Line:
    """The exit code says which signal; nothing is left, and nobody."""
    line = Line(f"SIGTERM, SIGHUP, SIGINT, {len(commands)} calls of other commands")
    rng = random.Random(seed)
    with bench() as place:
        _prepare(place)
        for number, command in enumerate(commands):
            kinds = list(CODES)[number % 3 :][:1] if command.tensorflow else list(CODES)
            for turn, kind in enumerate(kinds):
                options = _JSON if (number + turn) % 2 else ()
                words = [*command.inside("."), *options]
                ended = _stopped(place, words, kind, rng.uniform(0, command.seconds))
                left, orphans = place.leftovers() + _outputs(place), place.orphans()
                good = ended.code == CODES[kind] and not left and not orphans
                good = good and "Traceback" not in ended.err
                good = good and (
                    not options
                    or _one_object(ended.out, ended.code)
                    or _beginning(place, words, ended.out)
                )
                what = f"{' '.join(words)}, {kind.name}: exit {ended.code}, left {left}, orphans"
                line.count(good, f"{what} {orphans}, {ended.out[-200:]!r} {ended.err!r}")
                _taken(place)
    return line


def _stopped(place: Bench, words: list[str], kind: signal.Signals, delay: float) -> Ended:
    """A run that a signal reached; after ``delay``, or sooner where that was too late.

    Too late is also a signal that came once the output was in its place: it is whole then.
    """
    for attempt in range(8):
        ended = _interrupted(place, words, kind, delay / 4**attempt)
        written = _taken(place)
        # -kind: at its end Python gives its handlers back
        if ended.code not in (0, 1, -kind) and (not written or written != _whole(place, words)):
            break
    for name, content in written.items():
        (place.folder / name).write_bytes(content)
    return ended


def _whole(place: Bench, words: list[str]) -> dict[str, bytes]:
    """What the call writes where nothing ends it."""
    place.run(words)
    return _taken(place)


def _taken(place: Bench) -> dict[str, bytes]:
    """The outputs, taken away."""
    paths = [place.folder / name for name in _outputs(place)]
    contents = {path.name: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    return contents


def _interrupted(place: Bench, words: list[str], kind: signal.Signals, delay: float) -> Ended:
    # a shell ignores Ctrl-C for what it runs in the background, and what is ignored stays so
    process = place.start(words, preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and not _handles(process.pid):
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(kind)
    try:
        out, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Ended(process.returncode, out.decode(), err.decode(errors="replace"), 0, 0)


def _handles(number: int) -> bool:
    """Whether the process handles SIGTERM by itself (Linux)."""
    try:
        text = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return True
    caught = next(row for row in text.splitlines() if row.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def _one_object(text: str, code: int) -> bool:
    """Standard output is one JSON object, an error with the exit code."""
    try:
        told = json.loads(text)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("exit_code") == code and "error" in json.dumps(told)


def _beginning(place: Bench, words: list[str], text: str) -> bool:
    """Standard output is the first part of what is printed without a signal.

    A report that is larger than a pipe is being written while the reader waits; a signal ends it
    there, and nothing comes after it.
    """
    return len(text) >= 4096 and place.run(words).out.startswith(text)


_MOUNT = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
_FULL = """
mount -t tmpfs -o size=64k tmpfs disk
head -c {filler}k /dev/zero > disk/filler 2> /dev/null
"$@"
code=$?
ls -A disk > left
exit $code
"""


def full(commands: tuple[Command, ...]) -> Line:
    """No room for the output, none for temporary files, none for the report: exit code 2."""
    line = Line(f"full disk, TMPDIR and stdout, {len(commands)} calls of other commands")
    with bench() as place, Path("/dev/full").open("wb") as stream:
        _prepare(place)
        for command in commands:
            name = " ".join(command.words)
            if command.writes:
                _on_full_disk(line, place, command.inside("disk"), 100)
            if command.works:  # 8 KB are left, else another folder is taken
                _on_full_disk(line, place, command.inside("."), 56, TMPDIR="disk")
            ended = place.run(command.inside("."), stdout=stream)
            good = ended.code == 2 and ended.ours and not place.leftovers()
            line.count(good, f"{name}, full stdout: exit {ended.code} {ended.err!r}")
            _taken(place)
    return line


def _on_full_disk(
    line: Line, place: Bench, words: list[str], filler: int, **variables: str
) -> None:
    """A run on a disk of 64 KB, of which ``filler`` KB are taken: one error, and no half file."""
    disk = (*_MOUNT, _FULL.format(filler=filler), "sh")
    places = {name: str(place.folder / value) for name, value in variables.items()}
    environment = {**place.environment, **places}
    ended = place.run([*words, *_JSON], [*disk, *PLAIN], env=environment)
    if "unshare" in ended.err or "mount" in ended.err:
        line.note = "not all run: no file system can be mounted here"
        return
    left = (place.folder / "left").read_text().split()
    left += place.leftovers() + _outputs(place)
    good = ended.code == 2 and ended.ours and left == ["filler"] and _one_object(ended.out, 2)
    what = f"{' '.join(words)}, {variables}: exit {ended.code}, left {left}"
    line.count(good, f"{what} {ended.out[-300:]!r} {ended.err[-300:]!r}")


def _outputs(place: Bench) -> list[str]:
    return sorted(path.name for path in place.folder.glob("out.*"))
