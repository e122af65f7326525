"""SavedModel folders and TensorFlow checkpoints, read with TensorFlow itself.

In a SavedModel, each exported function lists the object-graph nodes of the variables that it
captures (``SavedConcreteFunction.bound_inputs``,
tensorflow/core/protobuf/saved_object_graph.proto), and the graph calls it with the VarHandleOps,
in the same order. So each shared name leads to a node, and the node to its checkpoint key: no
name is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.weights.readers.named import named
from tflrepair.weights.types.layer_names import split_path
from tflrepair.weights.types.weight import Array, Source, Weight

_KEY = "VARIABLE_VALUE"
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_CALLS = ("StatefulPartitionedCall", "PartitionedCall")


def is_saved_model(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file()


def is_checkpoint(label: str) -> bool:
    return Path(f"{label}.index").is_file()


def is_old_checkpoint(data: bytes) -> bool:
    """Whether these bytes end a checkpoint of one file, as tf.raw_ops.Save writes on a device.

    It is a sorted string table, which ends with a fixed number (tensorflow/core/lib/io/format.h,
    ``kTableMagicNumber``).
    """
    return len(data) >= 48 and data[-8:] == (0xDB4775248B80FB57).to_bytes(8, "little")


def saved_model(label: str) -> Source:
    """The variables of a SavedModel by the names that its graph and so the .tflite uses.

    Raises:
        BadFileError: damaged.
        UnsupportedError: TensorFlow is not installed.
    """
    tf = _tensorflow(label)
    from tensorflow.core.protobuf import saved_model_pb2

    proto = saved_model_pb2.SavedModel()
    try:
        proto.ParseFromString((Path(label) / "saved_model.pb").read_bytes())
        graph = proto.meta_graphs[0]
    except Exception as error:  # protobuf's DecodeError, OSError, IndexError
        raise BadFileError(f"its saved_model.pb cannot be read: {error}", where=label) from None
    reader = _reader(tf, str(Path(label) / "variables" / "variables"), label)
    keys = _checkpoint_keys(graph.object_graph_def, reader, label)
    weights = []
    for name, node in sorted(_captured(graph).items()):
        if node in keys:
            weights.append(_weight(reader, label, name, keys[node]))
    return Source(label, "SavedModel", tuple(weights), exact=True)


def checkpoint(label: str) -> Source:
    """The arrays of a checkpoint, by variable name where its object graph has names.

    Raises:
        BadFileError: damaged.
        UnsupportedError: TensorFlow is not installed.
    """
    reader = _reader(_tensorflow(label), label, label)
    has_objects = reader.has_tensor(_GRAPH)
    names = _full_names(reader) if has_objects else {}
    unique = len(set(names.values())) == len(names)
    weights = []
    for key in sorted(reader.get_variable_to_shape_map()):
        if reader.get_variable_to_dtype_map()[key].name == "string":
            continue
        weight = _weight(reader, label, key, key)
        if unique and key in names:
            layer, role = split_path(names[key])
        else:
            layer, role = split_path(key.partition("/.ATTRIBUTES/")[0])
        weights.append(
            Weight(label, key, weight.shape, weight.dtype, layer, role=role, reader=weight.reader)
        )
    return Source(label, "TensorFlow checkpoint", tuple(weights), saved=not has_objects)


def _tensorflow(label: str) -> Any:
    try:
        import tensorflow as tf
    except ImportError:
        raise UnsupportedError(
            "reading SavedModels and checkpoints needs TensorFlow",
            where=label,
            hint="pip install 'tflrepair[tf]'",
        ) from None
    return tf


def _reader(tf: Any, prefix: str, label: str) -> Any:
    """A checkpoint reader that has been checked against the size of the checkpoint's files."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        declared = sum(prod(shapes[k]) * dtypes[k].size for k in shapes if dtypes[k].size)
    except Exception as error:  # TensorFlow raises its own OpErrors, ValueError, RuntimeError
        raise BadFileError(f"its checkpoint cannot be read: {error}", where=label) from None
    path = Path(prefix)
    data = [p for p in path.parent.glob(f"{path.name}.data-*") if p.is_file()]
    size = sum(p.stat().st_size for p in data or [path])
    if declared > size:
        raise BadFileError(f"declares {declared} bytes of arrays in {size} bytes", where=label)
    return reader


def _weight(reader: Any, label: str, name: str, key: str) -> Weight:
    shape = tuple(int(n) for n in reader.get_variable_to_shape_map()[key])
    dtype = reader.get_variable_to_dtype_map()[key].name
    return named(label, name, shape, dtype, partial(_read, reader, key, label))


def _read(reader: Any, key: str, label: str) -> Array:
    try:
        array: Array = reader.get_tensor(key)
    except Exception as error:
        raise BadFileError(f"{key} cannot be read: {error}", where=label) from None
    return array


def _captured(graph: Any) -> dict[str, int]:
    """Shared name -> object-graph node, from the calls of functions with captured variables."""
    functions = graph.object_graph_def.concrete_functions
    handles = {
        node.name: node.attr["shared_name"].s.decode("utf-8", "replace") or node.name
        for node in graph.graph_def.node
        if node.op == "VarHandleOp"
    }
    found: dict[str, int] = {}
    for node in graph.graph_def.node:
        name = node.attr["f"].func.name if node.op in _CALLS else ""
        if name in functions:
            bound = functions[name].bound_inputs
            inputs = [i for i in node.input if not i.startswith("^")][-len(bound) :]
            for captured, tensor in zip(bound, inputs, strict=False):
                if tensor in handles:
                    found[handles[tensor]] = captured
    return found


def _checkpoint_keys(graph: Any, reader: Any, label: str) -> dict[int, str]:
    """Object-graph node -> checkpoint key, by walking both object graphs side by side."""
    other = _object_graph(reader)
    if other is None:
        raise BadFileError("its checkpoint has no object graph", where=label)
    pairs, todo = {0: 0}, [0]
    while todo:
        ours = todo.pop()
        theirs = {c.local_name: c.node_id for c in other.nodes[pairs[ours]].children}
        for child in graph.nodes[ours].children:
            if child.local_name in theirs and child.node_id not in pairs:
                pairs[child.node_id] = theirs[child.local_name]
                todo.append(child.node_id)
    keys = {}
    for ours, node in pairs.items():
        for attribute in other.nodes[node].attributes:
            if attribute.name == _KEY and reader.has_tensor(attribute.checkpoint_key):
                keys[ours] = attribute.checkpoint_key
    return keys


def _object_graph(reader: Any) -> Any:
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    if not reader.has_tensor(_GRAPH):
        return None
    proto = trackable_object_graph_pb2.TrackableObjectGraph()
    try:
        proto.ParseFromString(reader.get_tensor(_GRAPH))
    except Exception:  # protobuf's DecodeError
        return None
    return proto


def _full_names(reader: Any) -> dict[str, str]:
    graph = _object_graph(reader)
    return dict(_rows(graph)) if graph is not None else {}


def _rows(graph: Any) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        for attribute in node.attributes:
            if attribute.name == _KEY and attribute.full_name:
                yield attribute.checkpoint_key, attribute.full_name
