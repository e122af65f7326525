"""The quantization of a tensor is contradictory.

What: the numbers of scales and zero points differ, they are neither one nor one for each slice of
`quantized_dimension`, that dimension does not exist, or the tensors that hold the scales of a
blockwise or multi-axis quantization do not exist (InterpreterBuilder::ParseQuantization). Or a
scale is zero, negative, infinite or not a number.

Why it matters: runtimes refuse the file, or scale with the numbers of another tensor. To
refuse a scale of zero is stricter than loading is: kernels divide by it, and LiteRT aborts the
process.

Example: 31 scales for 32 output channels.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR116"
_BLOCKWISE, _MULTI_AXIS = 2, 3


def check(subject: Subject) -> None:
    tensors, rows = subject.of("Tensor"), subject.of("QuantizationParameters")
    words = subject.words
    scales, zeros = rows.ref("scale"), rows.ref("zero_point")
    details, kinds = rows.ref("details"), rows.column("details_type")
    dimensions = rows.column("quantized_dimension")
    numbers = rows.index
    for row, pos in enumerate(tensors.ref("quantization")):
        number = numbers.get(pos, -1) if pos > 0 else -1
        if number < 0 or (not scales[number] and not details[number]):
            continue
        if kinds[number] in (_BLOCKWISE, _MULTI_AXIS):
            if not details[number]:
                text = "the details of its quantization are missing"
                subject.fault(CODE, tensors, row, "quantization", text)
            continue
        count = words.count(scales[number])
        if not count or zeros[number] < 0:
            continue
        wrong = _affine(
            subject.shapes[row], count, words.count(zeros[number]), dimensions[number]
        ) or _scales(subject, number)
        if wrong:
            subject.fault(CODE, tensors, row, "quantization", wrong)
    _tensors_of_scales(subject)


def _affine(shape: Sequence[int], scales: int, zeros: int, dimension: int) -> str:
    if zeros != scales:
        return f"it has {plural(scales, 'scale')} and {plural(zeros, 'zero point')}"
    if dimension < 0 or (shape and dimension >= len(shape)):
        return f"its quantized dimension is {dimension} of {len(shape)}"
    if scales != 1 and shape and shape[dimension] != scales:
        return f"it has {plural(scales, 'scale')} for a dimension of {shape[dimension]}"
    return ""


def _scales(subject: Subject, row: int) -> str:
    rows = subject.of("QuantizationParameters")
    scales: list[float] = subject.vector(rows, "scale", rows.ref("scale")[row], "f")
    wrong = [scale for scale in scales if not 0 < scale < inf]
    return f"its scale is {wrong[0]}" if wrong else ""


def _tensors_of_scales(subject: Subject) -> None:
    """Blockwise and multi-axis quantization name tensors of the same subgraph."""
    tables = subject.of("BlockwiseQuantization"), subject.of("MultiAxisQuantization")
    if not any(len(rows) for rows in tables):
        return
    tensors, rows = subject.of("Tensor"), subject.of("QuantizationParameters")
    kinds, details = rows.column("details_type"), rows.ref("details")
    for members in subject.tensors:
        for row in members:
            number = rows.index.get(tensors.ref("quantization")[row], -1) if row >= 0 else -1
            if number < 0 or details[number] <= 0 or kinds[number] < _BLOCKWISE:
                continue
            table = tables[kinds[number] - _BLOCKWISE]
            place = table.index.get(details[number], -1)
            if place >= 0:
                many = kinds[number] == _MULTI_AXIS
                wrong = _details(subject, place, len(members), subject.shapes[row], many)
                if wrong:
                    subject.fault(CODE, tensors, row, "quantization", wrong)


def _details(subject: Subject, row: int, count: int, shape: Sequence[int], many: bool) -> str:
    rows = subject.of("MultiAxisQuantization" if many else "BlockwiseQuantization")
    scale, zero = rows.column("scales")[row], rows.column("zero_points")[row]
    if not 0 <= scale < count or not -1 <= zero < count:
        return f"its scales are tensor {scale}, its zero points tensor {zero}, of {count}"
    if rows.column("block_size")[row] < 0:
        return f"its blocks have {plural(rows.column('block_size')[row], 'element')}"
    if not many:
        return ""
    axes = subject.vector(rows, "quantized_dimensions", rows.ref("quantized_dimensions")[row])
    if not axes or min(axes) < 0 or (shape and max(axes) >= len(shape)):
        return f"its quantized dimensions are {axes[:8]} of {len(shape)}"
    return ""
