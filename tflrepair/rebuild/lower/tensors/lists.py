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
    longest = max(len(items.elements) for items in lists)
    total: list[Any] = [None] * longest
    for items in lists:
        for place, element in enumerate(items.elements):
            if element is not None:
                total[place] = element if total[place] is None else total[place] + element
    return lists[0].changed(tuple(total))


def _listed(value: Any) -> TensorList:
    if not isinstance(value, TensorList):
        raise UnsupportedError("a variant that is not a tensor list is not covered")
    return value


def _shape(tensor: Any) -> Any:
    if tensor.shape.rank == 0:  # -1: unknown rank
        return tf.TensorShape(None)
    return shape_of(tensor)


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
    count = int(static(num_elements, "number of elements"))
    return TensorList((None,) * count, tf.as_dtype(element_dtype), _shape(element_shape))


@lower("EmptyTensorList")
def empty(element_shape: Any, element_dtype: Any) -> TensorList:
    return TensorList((), tf.as_dtype(element_dtype), _shape(element_shape))


@lower("TensorListFromTensor")
def from_tensor(tensor: Any, element_shape: Any) -> TensorList:
    count = tensor.shape[0]
    if count is None:
        raise UnsupportedError("the number of elements of a tensor list is open")
    parts = tuple(tf.unstack(tensor)) if count else ()
    return TensorList(parts, tensor.dtype, _shape(element_shape))


@lower("TensorListPushBack")
def push_back(input_handle: Any, tensor: Any) -> TensorList:
    items = _listed(input_handle)
    return items.changed((*items.elements, tensor))


@lower("TensorListPopBack")
def pop_back(input_handle: Any, element_shape: Any) -> tuple[TensorList, Any]:
    items = _listed(input_handle)
    if not items.elements:
        raise UnsupportedError("an element is taken from an empty tensor list")
    last = _filled(items, element_shape)[-1]
    return items.changed(items.elements[:-1]), last


@lower("TensorListSetItem")
def set_item(input_handle: Any, index: Any, item: Any) -> TensorList:
    items = _listed(input_handle)
    place = int(static(index, "index into a tensor list"))
    elements = items.elements
    if place >= len(elements):  # resize_if_index_out_of_bounds
        elements += (None,) * (place + 1 - len(elements))
    return items.changed((*elements[:place], item, *elements[place + 1 :]))


@lower("TensorListGetItem")
def get_item(input_handle: Any, index: Any, element_shape: Any) -> Any:
    items = _listed(input_handle)
    place = int(static(index, "index into a tensor list"))
    if not 0 <= place < len(items.elements):
        raise UnsupportedError(f"element {place} of {len(items.elements)} is asked for")
    return _filled(items, element_shape)[place]


@lower("TensorListStack")
def stack(input_handle: Any, element_shape: Any) -> Any:
    items = _listed(input_handle)
    if items.elements:
        return tf.stack(_filled(items, element_shape))
    shape = items.shape.merge_with(_shape(element_shape))
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
    count = int(static(size, "size"))
    return items.changed((items.elements + (None,) * count)[:count])


@lower("TensorListConcatLists")
def concat_lists(input_a: Any, input_b: Any) -> TensorList:
    first, second = _listed(input_a), _listed(input_b)
    return first.changed(first.elements + second.elements)
