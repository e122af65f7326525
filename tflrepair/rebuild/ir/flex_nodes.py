"""Flex operators as calls of ``tf.raw_ops``, from the NodeDef in their custom options."""

from __future__ import annotations

import inspect
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.format import flex, schema
from tflrepair.graph.subgraph import Operator
from tflrepair.rebuild.ir.steps import Argument
from tflrepair.wording import plural


def node_of(operator: Operator) -> Any:
    """The operator's NodeDef as TensorFlow's own protobuf.

    Raises:
        BadFileError: there is none, or it is malformed.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorflow.core.framework import node_def_pb2

    span = operator.table.span(schema.Operator.CUSTOM_OPTIONS)
    start, length = span or (0, 0)
    parsed = flex.node_def(bytes(operator.table.reader.read(start, length)))
    node = node_def_pb2.NodeDef(op=parsed.op)
    try:
        for name, value in parsed.attributes.items():
            node.attr[name].ParseFromString(value)
    except DecodeError as error:
        raise BadFileError(f"its NodeDef is malformed: {error}") from None
    return node


def bind(node: Any, inputs: list[Argument]) -> dict[str, Argument | tuple[Argument, ...]]:
    """``inputs`` under the names of the operator's arguments, lists where it takes lists.

    Raises:
        BadFileError: there are too few or too many.
    """
    definition = _definition(node.op)
    bound: dict[str, Argument | tuple[Argument, ...]] = {}
    names = _python_names(node.op, definition)
    rest = list(inputs)
    for argument in definition.input_arg:
        listed = argument.number_attr or argument.type_list_attr
        count = _length(node, argument) if listed else 1
        if count > len(rest):
            raise BadFileError(f"{node.op} has {plural(len(inputs), 'input')}, which is too few")
        bound[names[argument.name]] = tuple(rest[:count]) if listed else rest[0]
        rest = rest[count:]
    if rest:
        raise BadFileError(f"{node.op} has {plural(len(inputs), 'input')}, which is too many")
    return bound


def _python_names(op: str, definition: Any) -> dict[str, str]:
    """What ``tf.raw_ops`` calls each input: ``axis`` for the OpDef's ``reduction_indices``."""
    import tensorflow as tf

    taken = list(inspect.signature(getattr(tf.raw_ops, op)).parameters)
    inputs = [argument.name for argument in definition.input_arg]
    known = {*inputs, *(attribute.name for attribute in definition.attr), "name"}
    others = iter(name for name in taken if name not in known)
    return {name: name if name in taken else next(others, name) for name in inputs}


def attributes(node: Any) -> dict[str, Any]:
    """The attributes that ``tf.raw_ops`` takes, as Python literals.

    Raises:
        UnsupportedError: one is a function, a tensor or a placeholder.
    """
    import tensorflow as tf

    raw = inspect.signature(getattr(tf.raw_ops, node.op)).parameters
    taken = set(raw) - {argument.name for argument in _definition(node.op).input_arg} - {"name"}
    return {name: _literal(node, name) for name in sorted(node.attr) if name in taken}


def returns_list(node: Any) -> bool:
    """Whether ``tf.raw_ops`` returns several values rather than one tensor."""
    outputs = _definition(node.op).output_arg
    listed = any(argument.number_attr or argument.type_list_attr for argument in outputs)
    return listed or len(outputs) > 1


def _definition(op: str) -> Any:
    # The public API names attributes alike; only the OpDef tells which inputs are lists.
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(op)
    if definition is None:
        raise UnsupportedError(f"this TensorFlow has no operator {op}")
    return definition


def _length(node: Any, argument: Any) -> int:
    if argument.number_attr:
        return int(node.attr[argument.number_attr].i)
    return len(node.attr[argument.type_list_attr].list.type)


def _literal(node: Any, name: str) -> Any:
    value = node.attr[name]
    kind = value.WhichOneof("value")
    if kind != "list":
        return _scalar(node, name, kind, getattr(value, kind) if kind else None)
    for part in ("s", "i", "f", "b", "type", "shape"):
        items = getattr(value.list, part)
        if items:
            return [_scalar(node, name, part, item) for item in items]
    return []


def _scalar(node: Any, name: str, kind: str | None, value: Any) -> Any:
    import tensorflow as tf

    if kind in ("i", "f", "b"):
        return value
    if kind == "s":
        return value.decode("utf-8") if value.isascii() else value
    if kind == "type":
        return tf.as_dtype(value).name
    if kind == "shape":
        return None if value.unknown_rank else [dim.size for dim in value.dim]
    raise UnsupportedError(f"attribute {name} of {node.op} is a {kind}, which is not covered")
