"""What a SavedModel's graph says about variables: who captures them, and who restores them.

The converter takes values from the session that the saver's restore operator fills. A variable that
a signature captures, but that this operator does not restore, is converted without a value, and
nothing says so. All of it stands in saved_model.pb; nothing is loaded or run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tflrepair.errors import BadFileError, UnsupportedError

_INIT = "__saved_model_init_op"
_VARIABLES = ("VarHandleOp",)
_TABLES = ("HashTableV2", "MutableHashTableV2", "MutableDenseHashTableV2", "AnonymousHashTable")
_SAVES = ("Save", "SaveSlices", "SaveV2")
_RESTORES = ("Restore", "RestoreSlice", "RestoreV2")


@dataclass(frozen=True)
class CheckpointNames:
    """The names that one function's operators save or restore, and how often each."""

    verb: str
    names: Mapping[str, int]


@dataclass(frozen=True)
class SavedModelFacts:
    """Resources by shared name.

    Attributes:
        signatures: key -> variables and tables that it captures, in order.
        variables, tables: all that the graph holds.
        restored: variables that the saver restores.
        initialized: tables that the initializer fills.
        checkpoints: signature -> what its own save and restore operators name.
    """

    path: str
    signatures: Mapping[str, tuple[str, ...]]
    variables: tuple[str, ...]
    tables: tuple[str, ...]
    restored: frozenset[str]
    initialized: frozenset[str]
    checkpoints: Mapping[str, tuple[CheckpointNames, ...]]


def read(folder: str) -> SavedModelFacts:
    """Parse ``folder``/saved_model.pb, with TensorFlow's protocol buffers.

    Raises:
        UnsupportedError: TensorFlow is not installed.
        BadFileError: the file cannot be read, or holds no graph.
    """
    try:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from tensorflow.core.protobuf import saved_model_pb2
    except ImportError:
        raise UnsupportedError(
            "reading a SavedModel needs TensorFlow",
            where=folder,
            hint="pip install 'tflrepair[tf]'",
        ) from None
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString(Path(folder, "saved_model.pb").read_bytes())
    except (OSError, DecodeError, RecursionError) as error:
        raise BadFileError(f"saved_model.pb cannot be read: {error}", where=folder) from None
    if not message.meta_graphs:
        raise BadFileError("saved_model.pb holds no graph", where=folder)
    return _Reader(folder, message.meta_graphs[0]).facts()


class _Reader:
    def __init__(self, folder: str, meta: Any) -> None:
        self.folder, self.meta = folder, meta
        self.nodes = {node.name: node for node in meta.graph_def.node}
        self.functions = {f.signature.name: f for f in meta.graph_def.library.function}

    def facts(self) -> SavedModelFacts:
        signatures, checkpoints = {}, {}
        for key, definition in self.meta.signature_def.items():
            if key == _INIT:
                continue
            starts = [_node(tensor.name) for tensor in definition.outputs.values()]
            reached = list(self._reach(starts))
            signatures[key] = tuple(
                _shared(node) for node in reached if node.op in _VARIABLES + _TABLES
            )
            checkpoints[key] = tuple(self._checkpoints(reached))
        init = self.meta.signature_def.get(_INIT)
        fills = [_node(t.name) for t in init.outputs.values()] if init else []
        restore = self.meta.saver_def.restore_op_name
        return SavedModelFacts(
            path=self.folder,
            signatures=dict(sorted(signatures.items())),
            variables=self._all(_VARIABLES),
            tables=self._all(_TABLES),
            restored=frozenset(self._shared_names([_node(restore)], _VARIABLES)),
            initialized=frozenset(self._shared_names(fills, _TABLES)),
            checkpoints=checkpoints,
        )

    def _all(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_shared(node) for node in self.nodes.values() if node.op in kinds)

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

    def _checkpoints(self, nodes: list[Any]) -> Iterator[CheckpointNames]:
        """What the functions behind ``nodes`` save and restore by constant names."""
        seen: set[str] = set()
        queue = [name for node in nodes for name in self._called(node)]
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            body = self.functions[name].node_def
            queue += [inner for node in body for inner in self._called(node)]
            for verb, kinds in (("save", _SAVES), ("restore", _RESTORES)):
                names = Counter(
                    text for node in body if node.op in kinds for text in _names(node, body)
                )
                if names:
                    yield CheckpointNames(verb, names)

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
    text = node.attr["shared_name"].s.decode("utf-8", "surrogateescape")
    return str(text or node.name)


def _names(node: Any, body: Any) -> list[str]:
    """The constant tensor names of a save or restore operator: its second input."""
    if len(node.input) < 2:
        return []
    source = _node(node.input[1])
    constant = next((n for n in body if n.name == source and n.op == "Const"), None)
    if constant is None:
        return []
    values = constant.attr["value"].tensor.string_val
    return [value.decode("utf-8", "replace") for value in values]
