"""What a SavedModel's graph says about its resources: runs in the child process only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError

_INIT = "__saved_model_init_op"
_VARIABLES = ("VarHandleOp",)
_TABLES = ("HashTableV2", "MutableHashTableV2", "MutableDenseHashTableV2", "AnonymousHashTable")
_RESOURCES = _VARIABLES + _TABLES
_SAVES = ("Save", "SaveSlices", "SaveV2")
_RESTORES = ("Restore", "RestoreSlice", "RestoreV2")


class GraphReader:
    """What the graph of a SavedModel says, by the path of its saved_model.pb. Nothing is loaded.

    Raises:
        BadFileError: damaged, or it holds no graph.
    """

    def __init__(self, path: str) -> None:
        from tensorflow.core.protobuf import saved_model_pb2

        proto = saved_model_pb2.SavedModel()
        try:
            proto.ParseFromString(Path(path).read_bytes())
        except Exception as error:  # protobuf's DecodeError, OSError, RecursionError
            raise BadFileError(f"saved_model.pb cannot be read: {error}") from None
        if not proto.meta_graphs:
            raise BadFileError("saved_model.pb holds no graph")
        self.meta: Any = proto.meta_graphs[0]
        self.nodes = {node.name: node for node in self.meta.graph_def.node}
        self.functions = {f.signature.name: f for f in self.meta.graph_def.library.function}

    def close(self) -> None:
        self.meta, self.nodes, self.functions = None, {}, {}

    def listing(self) -> dict[str, Any]:
        """The fields of ``SavedModelFacts`` (tflrepair/tensorflow/saved_model_facts.py)."""
        signatures, checkpoints = {}, {}
        for key, definition in self.meta.signature_def.items():
            if key == _INIT:
                continue
            starts = [_node(tensor.name) for tensor in definition.outputs.values()]
            reached = list(self._reach(starts))
            signatures[key] = [_shared(node) for node in reached if node.op in _RESOURCES]
            checkpoints[key] = list(self._checkpoints(reached))
        init = self.meta.signature_def.get(_INIT)
        fills = [_node(t.name) for t in init.outputs.values()] if init else []
        restore = self.meta.saver_def.restore_op_name
        return {
            "signatures": dict(sorted(signatures.items())),
            "variables": self._all(_VARIABLES),
            "tables": self._all(_TABLES),
            "restored": list(self._shared_names([_node(restore)], _VARIABLES)),
            "initialized": list(self._shared_names(fills, _TABLES)),
            "checkpoints": checkpoints,
        }

    def _all(self, kinds: tuple[str, ...]) -> list[str]:
        return [_shared(node) for node in self.nodes.values() if node.op in kinds]

    def _shared_names(self, starts: Iterable[str], kinds: tuple[str, ...]) -> Iterator[str]:
        return (_shared(node) for node in self._reach(starts) if node.op in kinds)

    def _reach(self, starts: Iterable[str]) -> Iterator[Any]:
        """The nodes that these nodes need, themselves included."""
        seen: set[str] = set()
        queue = list(starts)
        while queue:
            name = queue.pop()
            if name in seen or name not in self.nodes:
                continue
            seen.add(name)
            yield self.nodes[name]
            queue += [_node(text) for text in reversed(self.nodes[name].input)]

    def _checkpoints(self, nodes: list[Any]) -> Iterator[tuple[str, dict[str, int]]]:
        """What the functions behind ``nodes`` save and restore by constant names."""
        seen: set[str] = set()
        queue = [name for node in nodes for name in self._called(node)]
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            body = self.functions[name].node_def
            constants = {node.name: node for node in body if node.op == "Const"}
            queue += [inner for node in body for inner in self._called(node)]
            for verb, kinds in (("save", _SAVES), ("restore", _RESTORES)):
                names = Counter(
                    text for node in body if node.op in kinds for text in _names(node, constants)
                )
                if names:
                    yield verb, dict(names)

    def _called(self, node: Any) -> list[str]:
        names = [node.op] if node.op in self.functions else []
        for value in node.attr.values():
            names += [value.func.name] if value.HasField("func") else []
            names += [func.name for func in value.list.func]
        return [name for name in names if name in self.functions]


def _node(tensor: str) -> str:
    """``^name`` and ``name:0`` -> ``name``"""
    return tensor.lstrip("^").split(":")[0]


def _shared(node: Any) -> str:
    """The shared name; an anonymous resource is known by its node."""
    text = node.attr["shared_name"].s.decode("utf-8", "replace")
    return str(text or node.name)


def _names(node: Any, constants: Mapping[str, Any]) -> list[str]:
    """The constant tensor names of a save or restore operator: its second input."""
    if len(node.input) < 2:
        return []
    constant = constants.get(_node(node.input[1]))
    if constant is None:
        return []
    values = constant.attr["value"].tensor.string_val
    return [value.decode("utf-8", "replace") for value in values]
