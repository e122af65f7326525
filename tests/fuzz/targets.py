"""What is fuzzed. A target takes bytes; whatever but a TflRepairError comes out of it is a find."""

from __future__ import annotations

import io
import json
import random
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from fuzz import looking, mutate, seeds
from tflrepair.errors import TflRepairError

Mutate = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    """One way into the program.

    Attributes:
        run: takes the bytes and a folder that it may write into.
        files: seeds by name; a name's suffix is that of the file that is read.
    """

    run: Callable[[bytes, Path, str], None]
    files: dict[str, bytes]
    change: Mutate


def scan(data: bytes, folder: Path, name: str) -> None:
    """scan as text and JSON; of a damaged file what ``--salvage`` shows."""
    from tflrepair.commands.scan import scan as scan_model
    from tflrepair.commands.scan import scan_what_is_left
    from tflrepair.graph.model import from_bytes
    from tflrepair.report import damage, scan_json, scan_text
    from tflrepair.report.contract.envelope import error_item
    from tflrepair.report.style import Style
    from tflrepair.structure.salvage import remains
    from tflrepair.structure.verify import DamagedError

    try:
        result = scan_model(from_bytes(data))
    except DamagedError as error:
        left = remains(error.verdict)
        damage.remains_text("m", left, Style())
        damage.faults_text(error.verdict, Style())
        json.dumps(error_item(error, salvage=True))
        path = folder / "left.tflite"
        path.write_bytes(data)
        found = scan_what_is_left(path, error.verdict)
        if found is not None:
            scan_text.render(found, Style())
    else:
        scan_text.render(result, Style())
        json.dumps(scan_json.item(result))


def fix(data: bytes, folder: Path, name: str) -> None:
    """fix --freeze, all but running the result, which a child process does."""
    _fix(data, folder, name, {"freeze": True})


def plan(data: bytes, folder: Path, name: str) -> None:
    """fix --dry-run with the sample's weights: matching and planning alone."""
    _fix(data, folder, name, {"dry_run": True})


def optimize(data: bytes, folder: Path, name: str) -> None:
    """fix --strategy optimize: MLIR reads what we accept, in a child of its own."""
    import tflrepair.execution.agreement as module

    cast(Any, module).check = lambda *_: None  # runs both
    with _children_unlimited():
        _fix(data, folder, name, {"strategy": "optimize"})


def _fix(data: bytes, folder: Path, name: str, options: dict[str, Any]) -> None:
    import tflrepair.commands.fix.fix as module
    from tflrepair.report import fix_text
    from tflrepair.report.style import Style

    # runs the result in a child process, which is not fuzzed
    cast(Any, module).accept = lambda *_: None
    model, out = folder / "model.tflite", folder / "out.tflite"
    model.write_bytes(data)
    out.unlink(missing_ok=True)
    given: dict[str, Any] = {"sets": {"*": 0.5}}
    if name == "sample":  # what is left without a value there is the rate alone
        given = {"weights": [seeds.SAMPLES / "classifier.weights.h5"]}
        given["sets"] = {"adam/learning_rate": 0.001}
    result = module.fix(model, out=out, **given, **options)
    fix_text.render(result, Style(), bool(options.get("dry_run")))


# A source that opened: while there is one, the child that reads files waits for the next.
_opened: list[Any] = []


def weights(data: bytes, folder: Path, name: str) -> None:
    """Open a file of weights by its content, and read every array."""
    path = folder / name
    path.write_bytes(data)
    _read(str(path))


def _read(path: str) -> None:
    from tflrepair.weights.readers.open import open_weights

    source = open_weights(path)
    _opened[:] = [source]
    for weight in source.weights:
        with suppress(TflRepairError):
            weight.read()


def checkpoint(data: bytes, folder: Path, name: str) -> None:
    """Unpack a checkpoint and read every array, in a child that has a limit of its own."""
    with _children_unlimited():
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for member in packed.namelist():
                (folder / member).write_bytes(packed.read(member))
        _read(str(folder / "model"))


@contextmanager
def _children_unlimited() -> Iterator[None]:
    """A child would inherit our limit, in which TensorFlow or MLIR cannot even be imported."""
    allowed, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (allowed, most))


def member(rng: random.Random, data: bytes) -> bytes:
    """A ZIP with one of its members damaged."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, mutate.flip(rng, content) if name == chosen else content)
    return out.getvalue()


def mapping(data: bytes, folder: Path, name: str) -> None:
    """--map."""
    from tflrepair.cli.options import read_map

    path = folder / "map.json"
    path.write_bytes(data)
    read_map(str(path))


def archive(rng: random.Random, data: bytes) -> bytes:
    """A ZIP damaged as a whole or, packed anew, in one of its members."""
    return mutate.flip(rng, data) if rng.random() < 0.4 else member(rng, data)


def text(rng: random.Random, data: bytes) -> bytes:
    """JSON with a piece repeated, removed, or replaced by what JSON has."""
    words = (b"null", b"[]", b"{}", b"-1", b"1e999", b"18446744073709551616", b'"\\ud800"', b"true")
    if rng.random() < 0.5:
        return mutate.flip(rng, data)
    start = rng.randrange(len(data))
    end = rng.randrange(start, len(data))
    return data[:start] + rng.choice((*words, data[start:end] * 2, b"[" * 5000)) + data[end:]


def all_targets() -> dict[str, Target]:
    models, files = seeds.models(), seeds.weights()
    repairable = {name: models[name] for name in ("sample", "partial", "order", "half", "flow")}
    readers = {
        "h5": ("sample.weights.h5", "legacy.h5"),
        "keras": ("model.keras",),
        "npz": ("values.npz",),
        "safetensors": ("values.safetensors",),
    }
    zipped = ("keras", "npz")
    found = {
        "scan": Target(scan, models, mutate.tflite),
        "fix": Target(fix, repairable, mutate.tflite),
        "plan": Target(plan, repairable, mutate.tflite),
        "reports": Target(looking.reports, models, mutate.tflite),
        "show": Target(looking.show, models, mutate.tflite),
        "diff": Target(looking.diff, models, mutate.tflite),
        "extract": Target(looking.extract, models, mutate.tflite),
    }
    if find_spec("litert_converter"):
        found["optimize"] = Target(optimize, repairable, mutate.tflite)
    for reader, names in readers.items():
        change = archive if reader in zipped else mutate.flip
        found[reader] = Target(weights, {name: files[name] for name in names}, change)
    found["tflite weights"] = Target(
        weights, {f"{name}.tflite": data for name, data in models.items()}, mutate.tflite
    )
    if find_spec("tensorflow"):
        packed = (seeds.DATA / "checkpoint.zip").read_bytes()
        found["checkpoint"] = Target(checkpoint, {"checkpoint.zip": packed}, member)
    found["map"] = Target(mapping, {"map.json": b'{"dense/kernel": "a", "b": "c"}'}, text)
    return found
