"""The values of constants: decoded arrays, and what they look like in a line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tflrepair.errors import TflRepairError
from tflrepair.graph.arrays import Array, decode, decoded, elements
from tflrepair.graph.model import Model
from tflrepair.views.external import external_bytes
from tflrepair.views.tensors import TensorView

__all__ = ["Array", "Stats", "array", "real", "statistics"]

_HASH_LENGTH = 12  # hexadecimal digits shown of a SHA-256
_CHUNK = 1 << 22  # elements looked at together


@dataclass(frozen=True)
class Stats:
    """What an array of numbers looks like; None where it means nothing (no finite element).

    ``zeros``, ``nan``, ``inf`` count elements.
    """

    count: int
    min: float | None
    max: float | None
    mean: float | None
    zeros: int
    nan: int
    inf: int
    sha256: str


def array(model: Model, tensor: TensorView) -> Array:
    """The values of a constant, in its shape.

    Types that numpy lacks are widened exactly: bfloat16 and float8 to float32, int4, uint4 and
    int2 to 8 bits. Strings become an object array of bytes. A sparse tensor gives its stored
    values, flat.

    Raises:
        BadFileError: the bytes in the file do not fit the type and shape.
        UnsupportedError: a type that has no values in a file, or bytes in a file beside the model
            that cannot be read.
    """
    place = f"subgraph {tensor.subgraph}, tensor {tensor.index}"
    if tensor.external and not tensor.stored:
        try:
            data = external_bytes(model, tensor.external)
        except TflRepairError as error:
            raise error.within(place) from None
    else:
        data = model.buffer_bytes(tensor.buffer)
    if tensor.sparsity is not None:
        return decoded(data, tensor.dtype, elements(data, tensor.dtype), place)
    return decode(data, tensor.dtype, tensor.shape, place)


def real(values: Array, quantization: Mapping[str, Any] | None) -> Array | None:
    """``scale * (value - zero_point)`` as float64; None where the scheme is another one.

    Scales may be one, or one for each slice of ``quantized_dimension`` (schema.fbs).
    """
    import numpy as np

    if quantization is None or not quantization["scale"] or quantization["details"]:
        return None
    scale = np.array(quantization["scale"], np.float64)
    zero = np.array(quantization["zero_point"] or (0,), np.float64)
    axis = quantization["quantized_dimension"]
    if scale.size > 1:
        if not 0 <= axis < values.ndim or values.shape[axis] != scale.size:
            return None
        shape = [1] * values.ndim
        shape[axis] = -1
        scale = scale.reshape(shape)
        zero = zero.reshape(shape) if zero.size == scale.size else zero[:1]
    return scale * (values.astype(np.float64) - zero)


def statistics(values: Array) -> Stats:
    """Figures over all elements, some million at a time; the hash is of the bytes as decoded."""
    import numpy as np

    digest = hashlib.sha256()
    if values.dtype == object:
        for value in values.ravel():
            digest.update(len(value).to_bytes(8, "little") + value)
        return Stats(values.size, None, None, None, 0, 0, 0, digest.hexdigest()[:_HASH_LENGTH])
    low, high, total, finite = np.inf, -np.inf, 0.0, 0
    zeros = nan = inf = 0
    flat = values.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        part = np.ascontiguousarray(flat[start : start + _CHUNK])
        digest.update(part.view(np.uint8).data)
        zeros += int(part.size - np.count_nonzero(part))
        if part.dtype.kind == "c":
            part = np.abs(part)
        good = part
        if part.dtype.kind == "f":
            bad = ~np.isfinite(part)
            if bad.any():
                nan += int(np.isnan(part).sum())
                inf += int(np.isinf(part).sum())
                good = part[~bad]
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
            total += float(good.sum(dtype=np.float64))
            finite += good.size
    some = finite > 0
    return Stats(
        values.size,
        low if some else None,
        high if some else None,
        total / finite if some else None,
        zeros,
        nan,
        inf,
        digest.hexdigest()[:_HASH_LENGTH],
    )
