"""What a SavedModel's graph says about variables: who captures them, and who restores them.

The converter takes values from the session that the saver's restore operator fills. A variable that
a signature captures, but that this operator does not restore, is converted without a value, and
nothing says so. All of it stands in saved_model.pb; nothing is loaded or run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tflrepair.weights.native.client import listing


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
    """What ``folder``/saved_model.pb says. TensorFlow's protocol buffers parse it, in a child.

    Raises:
        UnsupportedError: TensorFlow is not installed.
        BadFileError: the file cannot be read, holds no graph, or asks for more time or memory
            than a file of its size can need.
    """
    found = listing(Path(folder, "saved_model.pb"), folder, "saved_model_graph")
    return SavedModelFacts(
        path=folder,
        signatures={key: tuple(names) for key, names in found["signatures"].items()},
        variables=tuple(found["variables"]),
        tables=tuple(found["tables"]),
        restored=frozenset(found["restored"]),
        initialized=frozenset(found["initialized"]),
        checkpoints={
            key: tuple(CheckpointNames(verb, names) for verb, names in rows)
            for key, rows in found["checkpoints"].items()
        },
    )
