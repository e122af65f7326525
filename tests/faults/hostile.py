"""Weights files and models made to crash, hang, or fill memory: an error of ours, and soon."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from build import Build

from faults.bench import FIX, MODEL, OUT, SAMPLES, WEIGHTS, Bench, Ended, Line, bench

DATA = Path(__file__).parent / "data"
SECONDS, MEGABYTES = 2.0, 200.0
_PLACE = "layers/dense/vars"


def _h5(write: Callable[[h5py.Group], None]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        write(file.create_group(_PLACE))
    return stream.getvalue()


def _zip(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _npz(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    named: dict[str, Any] = {"dense/kernel": np.zeros(shape, np.float32)}
    np.savez_compressed(stream, **named)
    return stream.getvalue()


def _zeros(count: int) -> bytes:
    """``count`` zeros, a multiple of 64 MB, as zlib packs them: one part, again and again."""
    part = 64 << 20
    packer = zlib.compressobj(1)
    first = packer.compress(bytes(part)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(part)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = b"\x03\x00" + (count % 65521 << 16 | 1).to_bytes(4, "big")  # no more; Adler-32
    return first + again * (count // part - 1) + last


def _one_chunk(group: h5py.Group) -> None:
    shape = (1 << 14, 1 << 14)  # 1 GB that must be unpacked at once
    rows = group.create_dataset("0", shape, "f4", chunks=shape, compression="gzip")
    rows.id.write_direct_chunk((0, 0), _zeros(4 * shape[0] * shape[1]))


def _many(group: h5py.Group) -> None:
    for number in range(30_000):
        group.create_group(f"g{number}")


def _wide_names(group: h5py.Group) -> None:
    group.file.attrs["layer_names"] = [b"x" * 100] * 600
    group["0"] = np.zeros(3, np.float32)


def _keras() -> bytes:
    return (SAMPLES / WEIGHTS).read_bytes()


def _config(config: bytes) -> bytes:
    return _zip({"model.weights.h5": _keras(), "config.json": config})


def _wide() -> bytes:
    return b'{"config": ' + b"[" + b"[]," * 1_000_000 + b"[]]}"


def _huge_header() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}})
    return len(header).to_bytes(8, "little") + header.encode() + bytes(4)


# name -> what makes the content, the worst that we know
WEIGHTS_FILES: dict[str, Callable[[], bytes]] = {
    "one-chunk.weights.h5": lambda: _h5(_one_chunk),
    "many-groups.weights.h5": lambda: _h5(_many),
    "wide-names.h5": lambda: _h5(_wide_names),
    "packed-weights.keras": lambda: _zip(
        {"model.weights.h5": bytes(300 << 20), "config.json": b"{}"}
    ),
    "json-bomb.keras": lambda: _config(_wide() * 8),
    "json-wide.keras": lambda: _config(_wide()),
    "json-deep.keras": lambda: _config(b'{"config": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "zeros.npz": lambda: _npz((8000, 8000)),
    "huge.safetensors": _huge_header,
    "cut.weights.h5": lambda: _keras()[: len(_keras()) // 2],
    "index.weights.json": lambda: b'{"weight_map": ' + b"[" + b"[]," * 1_200_000 + b"[]]}",
} | {path.name: path.read_bytes for path in sorted(DATA.iterdir())}


def _judge(line: Line, name: str, ended: Ended, quick: float) -> None:
    """``quick``: seconds that the machine takes for the sample; a busy one gets more time."""
    allowed = max(SECONDS, 3 * quick)
    good = ended.ours and ended.seconds < allowed and ended.megabytes < MEGABYTES
    what = f"{name}: exit {ended.code} {ended.seconds:.1f} s {ended.megabytes:.0f} MB {ended.err!r}"
    line.count(good, what[:600])


def weights() -> Line:
    """Each file as weights of the sample: an answer or exit 2, within 2 s and 200 MB."""
    line = Line("hostile weights files")
    with bench() as place:
        quick = _quick(place)
        slowest = 0.0
        for name, make in WEIGHTS_FILES.items():
            (place.folder / name).write_bytes(make())
            ended = _alone(place, ["fix", MODEL, "--weights", name, *FIX[4:], "-o", OUT])
            slowest = max(slowest, ended.seconds)
            _judge(line, name, ended, quick)
            if (ended.code == 0) != (place.folder / OUT).exists():
                line.wrong.append(f"{name}: exit {ended.code}, but the output says otherwise")
            (place.folder / OUT).unlink(missing_ok=True)
        line.note = f"slowest {slowest:.1f} s; the sample itself takes {quick:.1f} s"
    return line


def _quick(place: Bench) -> float:
    return place.run([*FIX, "--dry-run"]).seconds


def _alone(place: Bench, arguments: list[str]) -> Ended:
    """A run whose memory is measured by itself: the largest of it and its children."""
    probe = (
        "import resource, subprocess, sys; p = subprocess.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024);"
        "sys.exit(p.returncode if p.returncode >= 0 else 77)"
    )
    from faults.bench import PLAIN

    ended = place.run(arguments, [PLAIN[0], "-c", probe, *PLAIN])
    peak = float(ended.out.strip().splitlines()[-1])
    return Ended(ended.code, ended.out, ended.err, ended.seconds, peak)


def model_files() -> dict[str, bytes]:
    """Models whose variables no machine or no numpy can have, as bytes."""
    found = {}
    shapes = {
        "shape40": (2**31 - 1,) * 40,
        "negative": (2, -5),
        "huge": (2**31 - 1,),
        "overflow": (2**31 - 1, 2**31 - 1, 4),
    }
    for name, shape in shapes.items():
        build = Build()
        main = build.sub("main", "run")
        main.output(main.read(main.handle("v"), shape))
        found[f"{name}.tflite"] = build.bytes()
    for kind in ("INT4", "RESOURCE", "VARIANT", "STRING", "COMPLEX64", "BFLOAT16"):
        build = Build()
        main = build.sub("main", "run")
        out = main.tensor(kind, (2,))
        main.op("READ_VARIABLE", [main.handle("v")], [out])
        main.output(out)
        found[f"type-{kind.lower()}.tflite"] = build.bytes()
    return found


def models() -> Line:
    """scan and fix of each, with numbers that fit and numbers that do not."""
    line = Line("hostile models and values")
    with bench() as place:
        quick = _quick(place)
        for name, data in model_files().items():
            (place.folder / name).write_bytes(data)
            _judge(line, f"scan {name}", _alone(place, ["scan", name]), quick)
            ended = _alone(place, ["fix", name, "--set", "v=1", "-o", OUT, "--force"])
            _judge(line, f"fix {name}", ended, 2 * quick)
        for value in ("nan", "inf", "1e39", "1e-60", "1e-400", "1e400", "x", "9" * 5000):
            for given in (["--set", f"adam/learning_rate={value}"], ["--learning-rate", value]):
                call = ["fix", MODEL, "--weights", WEIGHTS, *given, "-o", "w.tflite"]
                ended = _alone(place, call)
                _judge(line, f"{given[0]} {value[:9]}", ended, quick)
                if ended.code != 2:
                    line.wrong.append(f"{given[0]} {value[:9]} was accepted: exit {ended.code}")
    return line
