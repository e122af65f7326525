"""Lists of tensors as loops over time use them: the batch is open, the length is known.

A list cannot go into or out of a signature. So each case is a few operators, of which the one that
it is about is named; TensorFlow's own run the same program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from rebuild.lower.kernels.cases import real
from rebuild.lower.kernels.single import Case

Find = Callable[[str], Any]
PER_STEP = [-1, 4]  # the sizes of an element: the batch is open
TIME = [1, 0, 2]


def _sizes(*sizes: int) -> Any:
    return tf.constant(sizes or PER_STEP, tf.int32)


def _listed(find: Find, x: Any) -> Any:
    """[batch, time, 4] as a list over time."""
    steps = tf.transpose(x, TIME)
    return find("TensorListFromTensor")(tensor=steps, element_shape=_sizes())


def _reserved(find: Find, count: int, *sizes: int) -> Any:
    reserve = find("TensorListReserve")
    return reserve(
        element_shape=_sizes(*sizes), num_elements=tf.constant(count), element_dtype=tf.float32
    )


def _put(find: Find, items: Any, place: int, item: Any, **more: Any) -> Any:
    set_item = find("TensorListSetItem")
    return set_item(input_handle=items, index=tf.constant(place), item=item, **more)


def _stacked(find: Find, items: Any, *sizes: int, dtype: Any = tf.float32) -> Any:
    stack = find("TensorListStack")
    return stack(input_handle=items, element_shape=_sizes(*sizes), element_dtype=dtype)


def _taken(find: Find, items: Any, place: int) -> Any:
    get_item = find("TensorListGetItem")
    return get_item(
        input_handle=items,
        index=tf.constant(place),
        element_shape=_sizes(),
        element_dtype=tf.float32,
    )


def _length(find: Find, items: Any) -> Any:
    return find("TensorListLength")(input_handle=items)


def from_tensor(find: Find, x: Any) -> Any:
    items = _listed(find, x)
    return [_stacked(find, items, dtype=x.dtype), _length(find, items)]


def some_set(find: Find, x: Any) -> Any:
    """Those that were never set are zeros, as large as the others."""
    items = _put(find, _put(find, _reserved(find, 4), 2, x), 0, -x)
    items = _put(find, items, 2, 3 * x)
    return [_stacked(find, items), _taken(find, items, 2)]


def none_set(find: Find, x: Any) -> Any:
    items = _reserved(find, 3, 2, 4)
    return [_stacked(find, items, 2, 4), _length(find, items), tf.reduce_sum(x)]


def grown(find: Find, x: Any) -> Any:
    items = _put(find, _reserved(find, 1), 2, x, resize_if_index_out_of_bounds=True)
    return [_stacked(find, items), _length(find, items)]


def pushed(find: Find, x: Any) -> Any:
    empty = find("EmptyTensorList")
    items = empty(
        element_shape=_sizes(), max_num_elements=tf.constant(-1), element_dtype=tf.float32
    )
    counts = [_length(find, items)]
    for part in (x, 2 * x, -x):
        items = find("TensorListPushBack")(input_handle=items, tensor=part)
    counts.append(_length(find, items))
    pop = find("TensorListPopBack")
    items, last = pop(input_handle=items, element_shape=_sizes(), element_dtype=tf.float32)
    return [last, _stacked(find, items), *counts, _length(find, items)]


def popped_unset(find: Find, x: Any) -> Any:
    """TensorFlow's kernel wants to know the sizes of an element that was never set."""
    items = _put(find, _reserved(find, 2, 2, 4), 0, tf.broadcast_to(x[:1], [2, 4]))
    pop = find("TensorListPopBack")
    items, last = pop(input_handle=items, element_shape=_sizes(2, 4), element_dtype=tf.float32)
    return [last, _stacked(find, items)]


def resized(find: Find, x: Any) -> Any:
    found = []
    for size in (1, 3, 5):
        items = find("TensorListResize")(input_handle=_listed(find, x), size=tf.constant(size))
        found += [_stacked(find, items), _length(find, items)]
    return found


def concatenated(find: Find, x: Any) -> Any:
    first, second = _put(find, _reserved(find, 2), 1, x[:, 0]), _listed(find, x)
    join = find("TensorListConcatLists")
    items = join(input_a=first, input_b=second, element_dtype=tf.float32)
    return [_stacked(find, items), _length(find, items)]


def added(find: Find, x: Any) -> Any:
    """What the gradient of a loop does with the gradients of a list."""
    first, second = _put(find, _reserved(find, 3), 1, x[:, 0]), _listed(find, x)
    return [_stacked(find, find("AddN")(inputs=[first, second, second]))]


def zeroed(find: Find, x: Any) -> Any:
    items = find("ZerosLike")(x=_put(find, _listed(find, x), 1, x[:, 2]))
    return [_stacked(find, items), _length(find, items)]


def taken(find: Find, x: Any) -> Any:
    """With what TensorFlow's kernel makes of an element that was never set."""
    fixed = _put(find, _reserved(find, 2, 2, 4), 0, tf.ones([2, 4]))
    items = _listed(find, x)
    return [_taken(find, items, 2), _taken(find, items, 0), _taken(find, fixed, 1)]


def element_shapes(find: Find, x: Any) -> Any:
    shape = find("TensorListElementShape")
    found = []
    for kind in (tf.int32, tf.int64):
        for sizes in ((-1, 4), (2, 4), (0,)):
            found.append(shape(input_handle=_reserved(find, 2, *sizes), shape_type=kind))
        unknown = find("TensorListReserve")(
            element_shape=tf.constant(-1), num_elements=tf.constant(2), element_dtype=tf.float32
        )
        found.append(shape(input_handle=unknown, shape_type=kind))
    return [*found, tf.reduce_sum(x)]


def lengths(find: Find, x: Any) -> Any:
    lists = [_listed(find, x), _reserved(find, 0), _reserved(find, 7)]
    return [*(_length(find, items) for items in lists), tf.reduce_sum(x)]


def stacked(find: Find, x: Any) -> Any:
    """Of no elements, too; told how many there are."""
    items = _put(find, _put(find, _reserved(find, 2), 0, x), 1, 2 * x)
    told = find("TensorListStack")(
        input_handle=items, element_shape=_sizes(), element_dtype=tf.float32, num_elements=2
    )
    none = _stacked(find, _reserved(find, 0, 2, 4), 2, 4)
    return [told, tf.concat([none, tf.broadcast_to(x[:1], [1, 2, 4])], 0)]


def lists() -> Iterator[Case]:
    x, steps = real(3, 4), real(3, 3, 4)
    programs: list[tuple[str, Callable[..., Any], Any]] = [
        ("TensorListFromTensor", from_tensor, steps),
        ("TensorListFromTensor", from_tensor, (1e3 * steps).astype(np.int64)),
        ("TensorListFromTensor", from_tensor, (1e3 * steps).astype(np.int32)),
        ("TensorListFromTensor", from_tensor, steps > 0),
        ("TensorListReserve", none_set, x),
        ("TensorListSetItem", some_set, x),
        ("TensorListSetItem", grown, x),
        ("TensorListGetItem", taken, steps),
        ("EmptyTensorList", pushed, x),
        ("TensorListPushBack", pushed, 2 * x),
        ("TensorListPopBack", popped_unset, x),
        ("TensorListResize", resized, steps),
        ("TensorListConcatLists", concatenated, steps),
        ("AddN", added, steps),
        ("ZerosLike", zeroed, steps),
        ("TensorListElementShape", element_shapes, x),
        ("TensorListLength", lengths, steps),
        ("TensorListStack", stacked, x),
    ]
    for op, program, value in programs:
        note = f"{program.__name__} {value.dtype}"
        yield Case(op, {"x": value}, program=program, note=note)


LISTS = {"lists": lists}
