"""Data behind the flatbuffer lies outside the file.

What: a buffer or the options of a custom operator are given as an offset from the start of the
file and a size, which is how files beyond 2 GB hold their weights, and they end past the end of the
file.

Why it matters: the bytes are not there.

Example: a 3 GB model of which 2 GB were downloaded.

How it is fixed: fetch the file again, or convert the model again.
"""

from __future__ import annotations

from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR117"
_SPANS = (
    ("Buffer", "offset", "size"),
    ("Operator", "large_custom_options_offset", "large_custom_options_size"),
)


def check(subject: Subject) -> None:
    end = len(subject.words.buf)
    for table, first, length in _SPANS:
        rows = subject.of(table)
        offsets, sizes = rows.column(first), rows.column(length)
        if offsets and max(offsets) > 1:  # 0 and 1 mean that there is none
            for row, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
                if offset > 1 and offset + size > end:
                    text = (
                        f"{plural(size, 'byte')} at byte {offset} end behind the file of "
                        f"{plural(end, 'byte')}"
                    )
                    subject.fault(CODE, rows, row, first, text)
    rows = subject.of("ExternalBuffer")
    known = set(rows.column("id"))
    tensors = subject.of("Tensor")
    for row, number in enumerate(tensors.column("external_buffer")):
        if number and number not in known:
            text = f"there is no external buffer {number}"
            subject.fault(CODE, tensors, row, "external_buffer", text)
