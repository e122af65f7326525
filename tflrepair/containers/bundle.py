"""Sections of a .litertlm file: models, tokenizers and metadata of a language model.

Eight bytes ``LITERTLM``, three versions, at byte 24 where the header ends, at byte 32 the header, a
flatbuffer that says where each section is (schema/core/litertlm_header_schema.fbs of LiteRT-LM).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tflrepair.containers.member import HEAD, Member
from tflrepair.errors import BadFileError, TflRepairError
from tflrepair.format.reader import Reader
from tflrepair.sources.pages import part_of

_MAGIC = b"LITERTLM"
_END, _HEADER = 24, 32
_LARGEST_HEADER = 1 << 26
_MODEL = "TFLiteModel"


def is_bundle(head: bytes) -> bool:
    return head.startswith(_MAGIC)


def members(outer: Member) -> Iterator[Member]:
    """The sections that are models, by number and type: ``chat.litertlm!/section2.prefill_decode``.

    Raises:
        BadFileError: the header is damaged, or a section lies outside the file.
    """
    from tflrepair.format.typed import decode  # brings the description of every table along

    try:
        source = outer.source()
        if source.size < _HEADER:
            raise BadFileError(f"has only {source.size} bytes, too few for a .litertlm file")
        end = int.from_bytes(source.read(_END, 8), "little")
        if not _HEADER < end <= min(source.size, _HEADER + _LARGEST_HEADER):
            raise BadFileError(f"the header would end at byte {end}")
        header = decode(Reader(source.read(_HEADER, end - _HEADER)).root(), "LiteRTLMMetaData")
    except TflRepairError as error:
        raise error.within(outer.path) from None
    sections = (header["section_metadata"] or {}).get("objects") or ()
    for number, section in enumerate(sections):
        if section["data_type"] != _MODEL:
            continue
        path = f"{outer.path}!/section{number}{_told(section)}"
        start, stop = section["begin_offset"], section["end_offset"]
        if not end <= start <= stop <= source.size:
            raise BadFileError(f"lies outside the file: bytes {start} to {stop}", where=path)
        head = bytes(source.read(start, min(HEAD, stop - start)))
        yield Member(path, head, partial(part_of, source, start, stop - start))


def _told(section: dict[str, Any]) -> str:
    """The section's ``model_type``, where it has one."""
    for item in section["items"] or ():
        if item["key"] == "model_type" and item["value"]:
            return f".{item['value'].get('value')}"
    return ""
