"""String tensors: how TensorFlow Lite packs them into a buffer.

Little-endian int32: the count, then count + 1 offsets from the start of the buffer, then the
bytes (tensorflow/compiler/mlir/lite/utils/string_utils.h).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

from tflrepair.errors import BadFileError
from tflrepair.wording import plural


def unpack(data: bytes | memoryview) -> tuple[str, ...]:
    """The strings in a buffer; bytes that are not UTF-8 become lone surrogates.

    Raises:
        BadFileError: the count or an offset does not fit the buffer.
    """
    try:
        (count,) = struct.unpack_from("<i", data)
        if not 0 <= count <= len(data) // 4:
            raise BadFileError(
                f"a string tensor claims {plural(count, 'string')} in {plural(len(data), 'byte')}"
            )
        offsets = struct.unpack_from(f"<{count + 1}i", data, 4)
    except struct.error:
        raise BadFileError("a string tensor is cut short") from None
    strings = []
    for start, end in pairwise(offsets):
        if not 0 <= start <= end <= len(data):
            raise BadFileError("a string of a string tensor lies outside its buffer")
        strings.append(str(bytes(data[start:end]), "utf-8", "surrogateescape"))
    return tuple(strings)


def pack(strings: Sequence[str]) -> bytes:
    """The inverse of ``unpack``."""
    encoded = [text.encode("utf-8", "surrogateescape") for text in strings]
    position = 4 * (len(encoded) + 2)
    offsets = [position]
    for text in encoded:
        position += len(text)
        offsets.append(position)
    head = struct.pack(f"<{len(offsets) + 1}i", len(encoded), *offsets)
    return head + b"".join(encoded)
