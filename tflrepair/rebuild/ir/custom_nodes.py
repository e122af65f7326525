"""Custom operators that are TensorFlow's own, as nodes that ``flexops`` understands.

With ``allow_custom_ops`` the converter keeps an operator that has no builtin and that the Flex
delegate does not take, such as the ``Erfc`` that training with exact GELU needs, as a custom
operator of the same name. Its custom options are a flexbuffer map of all its attributes, with
types by their number in the schema (tensorflow/compiler/mlir/lite/flatbuffer_export.cc,
``CreateFlexBuilderWithNodeAttrs``). So an operator of somebody's own that happens to have the name
of one of TensorFlow's is told by options that are not exactly that operator's attributes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.format import schema
from tflrepair.format.types import type_name
from tflrepair.graph.model import Model
from tflrepair.graph.subgraph import Operator

# what the library raises for bytes that are no flexbuffer
_MALFORMED = (
    AssertionError, IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error,
)  # fmt: skip


def custom_names(model: Model) -> frozenset[str]:
    """The custom operators, Flex ones left out, whose kernels a runtime must bring itself."""
    return frozenset(
        operator.name
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if operator.is_custom and not operator.is_flex
    )


def allows_flex(model: Model) -> bool:
    """Whether the model may have been converted with Flex operators allowed.

    Custom operators but no Flex ones: then most likely not, and what TensorFlow would rather make
    a Flex operator must stay a custom one.
    """
    flex = any(o.is_flex for subgraph in model.subgraphs for o in subgraph.operators)
    return flex or not custom_names(model)


def is_plain(name: str) -> bool:
    """Whether TensorFlow has an operator ``name`` without state, whose attributes are scalars."""
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(name)
    if definition is None or definition.is_stateful or not hasattr(tf.raw_ops, name):
        return False
    return all(attribute.type in _READ for attribute in definition.attr)


def node_of(operator: Operator) -> Any:
    """The operator's NodeDef as TensorFlow's own protobuf; ``is_plain`` must hold for its name.

    Raises:
        UnsupportedError: the options are not the attributes of TensorFlow's operator.
    """
    from tensorflow.core.framework import node_def_pb2
    from tensorflow.python.framework import op_def_registry

    kinds = {a.name: a.type for a in op_def_registry.get(operator.name).attr}
    node = node_def_pb2.NodeDef(op=operator.name)
    try:
        found = _options(operator, len(kinds))
        if found.keys() != kinds.keys():
            raise ValueError(f"they are {', '.join(sorted(found)) or 'none'}")
        for name, kind in kinds.items():
            _READ[kind](node.attr[name], found[name])
    except _MALFORMED as error:
        wanted = ", ".join(sorted(kinds)) or "none"
        raise UnsupportedError(
            f"its options are not the attributes of TensorFlow's operator {operator.name} "
            f"({wanted}): {error}",
            hint="an operator of another kind with this name cannot be rebuilt; "
            "--strategy graft and --strategy optimize keep operators as they are",
        ) from None
    return node


def _options(operator: Operator, count: int) -> Mapping[str, Any]:
    """The flexbuffer map of ``count`` entries: references, which are read one by one.

    Nothing is read in one go, since vectors in hostile bytes may hold themselves.
    """
    from flatbuffers import flexbuffers

    start, length = operator.table.span(schema.Operator.CUSTOM_OPTIONS) or (0, 0)
    if not length:
        return {}
    table = flexbuffers.GetRoot(bytes(operator.table.reader.buf[start : start + length])).AsMap
    keys, values = table.Keys, table.Values
    if not len(keys) == len(values) == count:
        raise ValueError(f"there are {len(keys)} of them")
    return {keys[place].AsKey: values[place] for place in range(count)}


def _type(attribute: Any, value: Any) -> None:
    import tensorflow as tf

    if not value.IsInt:
        raise ValueError("a type is not a number")
    attribute.type = tf.as_dtype(type_name(value.AsInt)).as_datatype_enum


def _bool(attribute: Any, value: Any) -> None:
    if not value.IsBool:
        raise ValueError("a boolean is not a boolean")
    attribute.b = value.AsBool


def _int(attribute: Any, value: Any) -> None:
    if not value.IsInt:
        raise ValueError("an integer is not an integer")
    attribute.i = value.AsInt


def _float(attribute: Any, value: Any) -> None:
    if not value.IsFloat:
        raise ValueError("a float is not a float")
    attribute.f = value.AsFloat


def _string(attribute: Any, value: Any) -> None:
    if not value.IsString:
        raise ValueError("a string is not a string")
    attribute.s = value.AsStringBytes


# type in the OpDef -> how it goes into an AttrValue
_READ = {"type": _type, "bool": _bool, "int": _int, "float": _float, "string": _string}
