"""A constant of strings is malformed.

What: a STRING tensor's bytes begin with a table: how many strings, then the offset of each and of
the end, all int32, in ascending order and within the buffer (tensorflow/lite/string_util.h). This
one says otherwise. So does a number of strings that is smaller than the shape needs.

Why it matters: runtimes read the strings through that table and would read outside of it.

Example: the label list of a classifier with a damaged offset.

How it is fixed: convert the model again.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from math import prod

from tflrepair.format import schema
from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR114"


def check(subject: Subject) -> None:
    rows = subject.of("Tensor")
    known: dict[tuple[int, int], tuple[str, int]] = {}
    for row, kind in enumerate(subject.types):
        data = subject.data[row]
        if kind != schema.TensorType.STRING or data is None:
            continue
        if data not in known:
            if sum(data) <= len(subject.words.buf):
                subject.spend(rows, "buffer", data[1])
            known[data] = _wrong(subject.words.buf, *data)
        wrong, count = known[data]
        shape = subject.shapes[row]
        if not wrong and shape and len(shape) <= 64 and min(shape) >= 0 and prod(shape) > count:
            wrong = f"it has {plural(count, 'string')}, and its shape needs {prod(shape)}"
        if wrong:
            subject.fault(CODE, rows, row, "buffer", wrong)


def _wrong(buf: memoryview, start: int, length: int) -> tuple[str, int]:
    """What is wrong with the table in ``length`` bytes at ``start``, and how many strings."""
    if start + length > len(buf):
        return "", 0  # TFR117 has said so
    if length < 4:
        return (
            f"its {plural(length, 'byte has', 'bytes have')} no room for the number of strings",
            0,
        )
    count = struct.unpack_from("<i", buf, start)[0]
    head = 4 * (count + 2)
    if count < 0 or head > length:
        return (
            f"its {plural(length, 'byte has', 'bytes have')} no room for the offsets of "
            f"{plural(count, 'string')}",
            0,
        )
    offsets = struct.unpack_from(f"<{count + 1}i", buf, start + 4)
    if offsets[0] != head or offsets[-1] > length:
        return f"its strings would be at bytes {offsets[0]} to {offsets[-1]} of {length}", count
    if any(a > b for a, b in pairwise(offsets)):
        return "the offsets of its strings are not in ascending order", count
    return "", count
