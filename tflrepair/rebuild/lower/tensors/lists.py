"""Tensor lists as Python tuples of tensors, while the loops that they run through are unrolled.

The length and every index are therefore known while tracing. An element that was never set is
None, and counts as zeros of the element's shape (tensorflow/core/kernels/list_kernels.cc).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tflrepair.errors import UnsupportedError
from tflrepair.rebuild.lower.images.geometry import shape_of, static
from tflrepair.rebuild.lower.registry import lower
from tflrepair.rebuild.lower.tensors.integers import unpack


@dataclass(frozen=True)
class TensorList:
    """The value of a variant tensor that holds a list."""

    elements: tuple[Any, ...]
    dtype: Any
    shape: Any  # tf.TensorShape of an element, as far as known

    def changed(self, elements: tuple[Any, ...]) -> TensorList:
        return TensorList(elements, self.dtype, self.shape)


def zeros(items: TensorList) -> TensorList:
    """A list of the same length that holds zeros."""
    return items.changed(tuple(None if e is None else tf.zeros_like(e) for e in items.elements))


def added(lists: Sequence[TensorList]) -> TensorList:
    """Element by element; one that was never set counts as zero."""
    lengths = sorted({len(items.elements) for items in lists})
    if len(lengths) > 1:
        raise UnsupportedError(f"tensor lists of {lengths[0]} and {lengths[-1]} elements are added")
    total: list[Any] = [None] * lengths[0]
    shape = tf.TensorShape(None)
    for items in lists:
        shape = shape.merge_with(items.shape)
        for place, element in enumerate(items.elements):
            if element is not None:
                total[place] = element if total[place] is None else total[place] + element
    return TensorList(tuple(total), lists[0].dtype, shape)


def _listed(value: Any) -> TensorList:
    if not isinstance(value, TensorList):
        raise UnsupportedError("a variant that is not a tensor list is not covered")
    return value


def _shape(tensor: Any) -> Any:
    if tensor.shape.rank == 0:  # -1: unknown rank
        return tf.TensorShape(None)
    return shape_of(tensor)


def _count(tensor: Any, what: str) -> int:
    count = int(static(tensor, what))
    if count < 0:
        raise UnsupportedError(f"a tensor list's {what} is {count}")
    return count


def _fitting(items: TensorList, item: Any) -> Any:
    if not items.shape.is_compatible_with(item.shape):
        raise UnsupportedError(
            f"a tensor of shape {item.shape} is put into a tensor list of {items.shape}"
        )
    return item


def _filled(items: TensorList, element_shape: Any) -> list[Any]:
    shape = items.shape.merge_with(_shape(element_shape))
    for element in items.elements:
        if element is not None:
            shape = shape.merge_with(element.shape) if element.shape.rank is not None else shape
    rows = []
    like = next((e for e in items.elements if e is not None), None)
    for element in items.elements:
        if element is None and shape.is_fully_defined():
            element = tf.zeros(shape, items.dtype)
        elif element is None and like is not None:
            element = tf.zeros_like(like)
        elif element is None:
            raise UnsupportedError("an element that was never set has no known shape")
        rows.append(element)
    return rows


@lower("TensorListReserve")
def reserve(element_shape: Any, num_elements: Any, element_dtype: Any) -> TensorList:
    count = _count(num_elements, "number of elements")
    return TensorList((None,) * count, tf.as_dtype(element_dtype), _shape(element_shape))


@lower("EmptyTensorList")
def empty(element_shape: Any, element_dtype: Any) -> TensorList:
    return TensorList((), tf.as_dtype(element_dtype), _shape(element_shape))


@lower("TensorListFromTensor")
def from_tensor(tensor: Any, element_shape: Any) -> TensorList:
    count = tensor.shape[0]
    if count is None:
        raise UnsupportedError("the number of elements of a tensor list is open")
    parts = tuple(unpack(tensor, count)) if count else ()
    return TensorList(parts, tensor.dtype, _shape(element_shape))


@lower("TensorListPushBack")
def push_back(input_handle: Any, tensor: Any) -> TensorList:
    items = _listed(input_handle)
    return items.changed((*items.elements, _fitting(items, tensor)))


@lower("TensorListPopBack")
def pop_back(input_handle: Any, element_shape: Any) -> tuple[TensorList, Any]:
    items = _listed(input_handle)
    if not items.elements:
        raise UnsupportedError("an element is taken from an empty tensor list")
    last = _filled(items, element_shape)[-1]
    return items.changed(items.elements[:-1]), last


@lower("TensorListSetItem")
def set_item(
    input_handle: Any, index: Any, item: Any, resize_if_index_out_of_bounds: bool = False
) -> TensorList:
    items = _listed(input_handle)
    place = int(static(index, "index into a tensor list"))
    elements = items.elements
    if place >= len(elements) and resize_if_index_out_of_bounds:
        elements += (None,) * (place + 1 - len(elements))
    if not 0 <= place < len(elements):
        raise UnsupportedError(f"element {place} of {len(elements)} is set")
    return items.changed((*elements[:place], _fitting(items, item), *elements[place + 1 :]))


@lower("TensorListGetItem")
def get_item(input_handle: Any, index: Any, element_shape: Any) -> Any:
    items = _listed(input_handle)
    place = int(static(index, "index into a tensor list"))
    if not 0 <= place < len(items.elements):
        raise UnsupportedError(f"element {place} of {len(items.elements)} is asked for")
    return _filled(items, element_shape)[place]


@lower("TensorListStack")
def stack(input_handle: Any, element_shape: Any, num_elements: int = -1) -> Any:
    items = _listed(input_handle)
    if num_elements not in (-1, len(items.elements)):
        raise UnsupportedError(
            f"a tensor list of {num_elements} elements is stacked that has {len(items.elements)}"
        )
    if items.elements:
        return tf.stack(_filled(items, element_shape))
    shape = items.shape.merge_with(_shape(element_shape))
    if not shape.is_fully_defined():
        raise UnsupportedError(f"an empty tensor list of elements of {shape} is stacked")
    return tf.zeros([0, *shape], items.dtype)


@lower("TensorListLength")
def length(input_handle: Any) -> Any:
    return tf.constant(len(_listed(input_handle).elements), tf.int32)


@lower("TensorListElementShape")
def element_shape(input_handle: Any, shape_type: Any = tf.int32) -> Any:
    shape = _listed(input_handle).shape
    if shape.rank is None:
        return tf.constant(-1, shape_type)
    return tf.constant([-1 if size is None else size for size in shape], shape_type)


@lower("TensorListResize")
def resize(input_handle: Any, size: Any) -> TensorList:
    items = _listed(input_handle)
    count = _count(size, "size")
    return items.changed((items.elements + (None,) * count)[:count])


@lower("TensorListConcatLists")
def concat_lists(input_a: Any, input_b: Any) -> TensorList:
    first, second = _listed(input_a), _listed(input_b)
    return first.changed(first.elements + second.elements)
