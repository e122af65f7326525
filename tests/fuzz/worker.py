"""One child of the fuzzer: one target, within limits, until its time is up.

    python -m fuzz.worker TARGET SEED SECONDS FOLDER

The case in hand is in FOLDER/current before it runs, so that what kills this process is known.
A case may use two seconds of processor time, and 200 MB more than the process has at the start.
The last line on stdout is JSON: executions, finds, and the lines that one case in ten reached.
"""

from __future__ import annotations

import faulthandler
import json
import random
import resource
import signal
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path
from types import FrameType

from fuzz import covered
from fuzz.targets import Target, all_targets
from tflrepair.errors import TflRepairError

SECONDS, MEGABYTES = 2.0, 200
TRACED = 10  # of so many cases one is traced, which makes it slower, so it gets as much more time
ENOUGH = 30.0  # seconds in native code that hears no signal; the process ends


class SlowError(BaseException):
    """A case took longer than it may."""


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise SlowError


def limit() -> None:
    """Count from here on: what imports and caches have taken is not the cases'."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    allowed = pages * resource.getpagesize() + MEGABYTES * 1_000_000
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))


def arm() -> None:
    """Let ``attempt`` stop a case that takes too long."""
    faulthandler.enable()  # SIGABRT tells where
    signal.signal(signal.SIGPROF, _too_slow)


def attempt(target: Target, data: bytes, folder: Path, name: str, seconds: float = SECONDS) -> str:
    """Run one case; what went wrong, with the place in our code, or nothing."""
    # again and again: an exception is lost where Python calls what nobody called
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    signal.setitimer(signal.ITIMER_VIRTUAL, ENOUGH)
    try:
        target.run(data, folder, name)
    except TflRepairError:
        return ""
    except SlowError as error:
        return f"more than {seconds:g} s at {_place(error)}"
    except MemoryError as error:
        return f"more than {MEGABYTES} MB at {_place(error)}"
    except Exception as error:
        return f"{type(error).__name__} at {_place(error)}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def _place(error: BaseException) -> str:
    """The innermost line of the package."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tflrepair" in frame.filename] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"


def main(arguments: list[str]) -> int:
    name, seed, seconds, folder = arguments[0], int(arguments[1]), float(arguments[2]), arguments[3]
    target, rng, here = all_targets()[name], random.Random(seed), Path(folder)
    files = sorted(target.files)
    arm()
    for file in files:  # warm up: imports and caches
        found = attempt(target, target.files[file], here, file)
        if found:
            raise SystemExit(f"the sound seed {file} fails: {found}")
        target.change(rng, target.files[file])
    limit()
    finds: dict[str, str] = {}
    lines: covered.Lines = {}
    executions, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        file = rng.choice(files)
        data = target.change(rng, target.files[file])
        (here / "current").write_bytes(data)
        executions += 1
        if executions % TRACED == 1:
            with covered.traced(lines):
                found = attempt(target, data, here, file, SECONDS * TRACED)
        else:
            found = attempt(target, data, here, file)
        if found and found.split(":")[0] not in finds:
            case = here / f"{sha256(data).hexdigest()[:12]}-{file}"
            case.write_bytes(data)
            finds[found.split(":")[0]] = f"{found} ({case.name})"
    reached = {name: sorted(numbers) for name, numbers in lines.items()}
    result = {"executions": executions, "finds": list(finds.values()), "lines": reached}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
