"""Signature names put right by emitted Python, which has TensorFlow's own tools only."""

from __future__ import annotations

from typing import Any


def rename_signatures(data: bytes, wanted: dict[str, Any]) -> bytes:
    """Give signatures their input names, and inputs and outputs their order.

    Converters sort by name and take identifiers only. ``wanted`` holds, for each signature key,
    (new input name by converted name, input names in order, output names in order).
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(data))
    for signature in model.signatureDefs:
        renamed, *orders = wanted[signature.signatureKey.decode()]
        for row in signature.inputs or ():
            row.name = renamed.get(row.name.decode(), row.name.decode()).encode()
        for rows, order in zip((signature.inputs, signature.outputs), orders, strict=True):
            if rows and {row.name.decode() for row in rows} == set(order):
                rows.sort(key=lambda row: order.index(row.name.decode()))
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
