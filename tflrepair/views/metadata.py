"""What a model says of itself: the entries of Model.metadata, decoded, and files behind it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tflrepair.errors import TflRepairError
from tflrepair.format.reader import Reader
from tflrepair.format.typed import decode
from tflrepair.graph.model import Model
from tflrepair.sources.source import View

MIN_RUNTIME = "min_runtime_version"
CONVERSION = "CONVERSION_METADATA"
TFLITE = "TFLITE_METADATA"
CONTROL = "model_control_dependencies"
_TAIL = 66_000  # bytes in which the end of a ZIP archive is, with its comment
_MOST_FILES = 10_000


@dataclass(frozen=True)
class MetadataEntry:
    """An entry: ``value`` is text, a decoded table, or None where its format is not known.

    ``problem`` says why a value that should be readable is not.
    """

    name: str
    buffer: int
    length: int
    value: str | Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True)
class AssociatedFile:
    """A file in the ZIP behind the flatbuffer (labels, vocabularies); ``size`` unpacked."""

    name: str
    size: int


@dataclass(frozen=True)
class Metadata:
    entries: tuple[MetadataEntry, ...]
    files: tuple[AssociatedFile, ...]

    def find(self, name: str) -> MetadataEntry | None:
        return next((entry for entry in self.entries if entry.name == name), None)


def metadata(model: Model) -> Metadata:
    """All entries. A damaged one is told of, not raised: the model may run without it."""
    return Metadata(
        tuple(_entry(model, name, buffer) for name, buffer in model.metadata), files(model)
    )


def _entry(model: Model, name: str, buffer: int) -> MetadataEntry:
    try:
        data = model.buffer_bytes(buffer)
        value = _READERS[name](data) if name in _READERS and len(data) else None
        return MetadataEntry(name, buffer, len(data), value)
    except TflRepairError as error:
        return MetadataEntry(name, buffer, 0, None, str(error))


def _text(data: memoryview) -> str:
    """Padded with zeros (RuntimeVersion in flatbuffer_export.cc)."""
    return str(bytes(data[:64]), "utf-8", "replace").rstrip("\0")


def _table(name: str) -> Callable[[memoryview], Mapping[str, Any]]:
    def read(data: memoryview) -> Mapping[str, Any]:
        return decode(Reader(data).root(), name)

    return read


_READERS: dict[str, Callable[[memoryview], str | Mapping[str, Any]]] = {
    MIN_RUNTIME: _text,
    "reduced_precision_support": _text,
    CONVERSION: _table("ConversionMetadata"),
    TFLITE: _table("ModelMetadata"),
}


def files(model: Model) -> tuple[AssociatedFile, ...]:
    """Names in the ZIP archive that TFLite metadata puts behind a model; nothing is unpacked."""
    tail = min(model.size, _TAIL)
    if b"PK\x05\x06" not in bytes(model.read(model.size - tail, tail)):
        return ()
    try:
        with zipfile.ZipFile(View(model.source)) as archive:
            rows = archive.infolist()[:_MOST_FILES]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return ()
    return tuple(AssociatedFile(row.filename, row.file_size) for row in rows)
