"""A shape that no array can have.

What: a dimension is negative (in `shape_signature` -1, an open dimension, is fine; less is not),
the product of the dimensions overflows 63 bits, or there are more than 64 of them.

Why it matters: runtimes multiply the dimensions to know how much memory a tensor takes. The limit
of 64 dimensions is stricter than the runtimes'; it is NumPy's, and kernels stop at 8.

Example: a dimension of -16777216 after one damaged byte.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.structure.rows import Rows
from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR112"
_MOST_DIMENSIONS = 64
_LARGEST = 2**63 // 16  # elements of the largest type, COMPLEX128


def check(subject: Subject) -> None:
    tensors = subject.of("Tensor")
    _shapes(subject, tensors, "shape", subject.shapes, 0)
    signatures = subject.vectors(tensors, "shape_signature")
    _shapes(subject, tensors, "shape_signature", signatures, -1)
    variants = subject.of("VariantSubType")
    _shapes(subject, variants, "shape", subject.vectors(variants, "shape"), -1)


def _shapes(
    subject: Subject, rows: Rows, name: str, shapes: Sequence[Sequence[int]], least: int
) -> None:
    different = set(map(tuple, shapes))
    known = {
        shape: _wrong(shape, least) for shape in different if 0 < len(shape) <= _MOST_DIMENSIONS
    }
    if not any(known.values()) and max(map(len, different), default=0) <= _MOST_DIMENSIONS:
        return
    for row, shape in enumerate(shapes):
        if not shape:
            continue
        if len(shape) > _MOST_DIMENSIONS:
            text = f"it has {plural(len(shape), 'dimension')}; {_MOST_DIMENSIONS} is the limit"
            subject.fault(CODE, rows, row, name, text)
            continue
        wrong = known[tuple(shape)]
        if wrong:
            subject.fault(CODE, rows, row, name, wrong)


def _wrong(shape: tuple[int, ...], least: int) -> str:
    if min(shape) < least:
        return f"a dimension is {min(shape)}"
    count = 1
    for size in shape:
        count *= max(size, 1)
    return f"the shape {list(shape)[:8]} overflows" if count >= _LARGEST else ""
