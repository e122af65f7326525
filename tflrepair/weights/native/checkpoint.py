"""SavedModels and TensorFlow checkpoints, read with TensorFlow: runs in the child process only.

In a SavedModel, each exported function lists the object-graph nodes of the variables that it
captures (``SavedConcreteFunction.bound_inputs``,
tensorflow/core/protobuf/saved_object_graph.proto), and the graph calls it with the VarHandleOps,
in the same order. So each shared name leads to a node, and the node to its checkpoint key: no
name is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError
from tflrepair.opening import is_file
from tflrepair.wording import plural

_KEY = "VARIABLE_VALUE"
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_CALLS = ("StatefulPartitionedCall", "PartitionedCall")


@dataclass(frozen=True)
class _Array:
    reader: Any
    key: str
    dtype: str
    nbytes: int

    def pieces(self, size: int) -> Iterator[bytes]:
        import numpy as np

        array: Any = np.ascontiguousarray(self.reader.get_tensor(self.key)).reshape(-1)
        count = max(1, size // max(array.itemsize, 1))
        for start in range(0, array.size, count):
            yield array[start : start + count].tobytes()


class CheckpointReader:
    """An open checkpoint, by the path of its index or of its only file.

    Raises:
        BadFileError: damaged, or it declares more than its files can hold.
    """

    def __init__(self, path: str) -> None:
        self._open(path.removesuffix(".index"))

    def _open(self, prefix: str) -> None:
        import tensorflow as tf

        try:
            self._reader: Any = tf.train.load_checkpoint(prefix)
            self._shapes = self._reader.get_variable_to_shape_map()
            self._dtypes = self._reader.get_variable_to_dtype_map()
            declared = sum(
                prod(self._shapes[k]) * self._dtypes[k].size
                for k in self._shapes
                if self._dtypes[k].size
            )
        except Exception as error:  # TensorFlow raises its own OpErrors, ValueError, RuntimeError
            raise BadFileError(f"its checkpoint cannot be read: {error}") from None
        size = sum(path.stat().st_size for path in data_files(Path(prefix)))
        if declared > size:
            raise BadFileError(
                f"declares {plural(declared, 'byte')} of arrays in {plural(size, 'byte')}"
            )

    def close(self) -> None:
        self._reader = None

    def listing(self) -> dict[str, Any]:
        """``arrays``: (key, shape, dtype) of all that are numbers; ``names``: key -> full name of
        the object graph's variables; None where there is no object graph."""
        graph = self._object_graph()
        names = dict(_full_names(graph)) if graph is not None else None
        rows = [self._row(key) for key in sorted(self._shapes)]
        arrays = [row for row in rows if row[2] != "string"]
        return {"groups": {}, "arrays": arrays, "skipped": [], "names": names}

    def _row(self, key: str) -> tuple[str, list[int], str]:
        return key, [int(n) for n in self._shapes[key]], str(self._dtypes[key].name)

    def array(self, key: str) -> _Array:
        kind = self._dtypes[key]
        wide = kind.name == "bfloat16"
        nbytes = prod(self._shapes[key]) * kind.size
        return _Array(
            self._reader, key, "|V2" if wide else str(kind.as_numpy_dtype.__name__), nbytes
        )

    def _object_graph(self) -> Any:
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        if not self._reader.has_tensor(_GRAPH):
            return None
        proto = trackable_object_graph_pb2.TrackableObjectGraph()
        try:
            proto.ParseFromString(self._reader.get_tensor(_GRAPH))
        except Exception:  # protobuf's DecodeError
            return None
        return proto


class SavedModelReader(CheckpointReader):
    """An open SavedModel, by the path of its saved_model.pb."""

    def __init__(self, path: str) -> None:
        from tensorflow.core.protobuf import saved_model_pb2

        proto = saved_model_pb2.SavedModel()
        try:
            proto.ParseFromString(Path(path).read_bytes())
            self._graph = proto.meta_graphs[0]
        except Exception as error:  # protobuf's DecodeError, OSError, IndexError
            raise BadFileError(f"its saved_model.pb cannot be read: {error}") from None
        self._open(str(Path(path).parent / "variables" / "variables"))

    def listing(self) -> dict[str, Any]:
        """``arrays`` as of the checkpoint; ``names``: shared name -> key."""
        keys = self._checkpoint_keys()
        names = {
            n: keys[node] for n, node in sorted(_captured(self._graph).items()) if node in keys
        }
        rows = [self._row(key) for key in sorted(set(names.values()))]
        return {"groups": {}, "arrays": rows, "skipped": [], "names": names}

    def _checkpoint_keys(self) -> dict[int, str]:
        """Object-graph node -> checkpoint key, by walking both object graphs side by side."""
        other, nodes = self._object_graph(), self._graph.object_graph_def.nodes
        if other is None:
            raise BadFileError("its checkpoint has no object graph")
        pairs, todo = {0: 0}, [0]
        while todo:
            ours = todo.pop()
            theirs = {c.local_name: c.node_id for c in other.nodes[pairs[ours]].children}
            for child in nodes[ours].children:
                if child.local_name in theirs and child.node_id not in pairs:
                    pairs[child.node_id] = theirs[child.local_name]
                    todo.append(child.node_id)
        keys = {}
        for ours, node in pairs.items():
            for attribute in other.nodes[node].attributes:
                if attribute.name == _KEY and self._reader.has_tensor(attribute.checkpoint_key):
                    keys[ours] = attribute.checkpoint_key
        return keys


def data_files(prefix: Path) -> list[Path]:
    """The files that hold the values of the checkpoint ``prefix``."""
    found = [p for p in prefix.parent.glob(f"{prefix.name}.data-*") if is_file(p)]
    return found or [prefix]


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


def _full_names(graph: Any) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        for attribute in node.attributes:
            if attribute.name == _KEY and attribute.full_name:
                yield attribute.checkpoint_key, attribute.full_name
