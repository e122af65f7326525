"""A constant has too few bytes.

What: the buffer of a tensor holds fewer bytes than its shape and type need.

Why it matters: runtimes refuse the file, or compute with what lies behind the buffer.

Example: a [3, 3, 64, 64] float32 weight whose buffer was cut to 100 bytes; a type changed from
INT8 to FLOAT32.

How it is fixed: convert the model again. A variable's value can be put back with
`tflrepair fix MODEL --weights FILE`, a plain weight cannot.
"""

from __future__ import annotations

from math import prod

from tflrepair.format import schema
from tflrepair.structure.subject import Subject
from tflrepair.wording import plural

CODE = "TFR113"

_T = schema.TensorType
# Bits of one element. STRING has its own table (TFR114), RESOURCE and VARIANT have no bytes.
BITS = {
    _T.FLOAT32: 32, _T.FLOAT16: 16, _T.INT32: 32, _T.UINT8: 8, _T.INT64: 64, _T.BOOL: 8,
    _T.INT16: 16, _T.COMPLEX64: 64, _T.INT8: 8, _T.FLOAT64: 64, _T.COMPLEX128: 128,
    _T.UINT64: 64, _T.UINT32: 32, _T.UINT16: 16, _T.INT4: 4, _T.BFLOAT16: 16, _T.INT2: 2,
    _T.UINT4: 4, _T.FLOAT8_E4M3FN: 8, _T.FLOAT8_E5M2: 8,
}  # fmt: skip


def check(subject: Subject) -> None:
    rows = subject.of("Tensor")
    sparse, shaped = rows.ref("sparsity"), rows.ref("shape")
    external = rows.column("external_buffer")
    variable = rows.column("is_variable")
    shapes, types = subject.shapes, subject.types
    for row, data in enumerate(subject.data):
        kind = types[row]
        if data is None:
            if variable[row] and kind in (_T.STRING, _T.RESOURCE, _T.VARIANT):
                text = "a variable tensor cannot have a type without fixed size"
                subject.fault(CODE, rows, row, "is_variable", text)
            continue
        if variable[row] or external[row]:
            text = "a tensor with bytes in the file cannot be a variable or external as well"
            subject.fault(CODE, rows, row, "is_variable", text)
        if kind not in BITS or sparse[row] or external[row] or shaped[row] < 0:
            continue
        shape = shapes[row]
        if len(shape) > 64 or (shape and min(shape) < 0):
            continue  # TFR112 has said so
        need = (prod(shape) * BITS[kind] + 7) // 8
        if need > data[1]:
            text = f"its constant needs {plural(need, 'byte')}, and its buffer has {data[1]}"
            subject.fault(CODE, rows, row, "buffer", text)
