"""Keras 3 weights in several files: ``.weights.json`` names the shards.

keras/src/saving/saving_lib.py, ``ShardedH5IOStore``: ``weight_map`` gives the shards of each
group of arrays; they lie beside the index.
"""

from __future__ import annotations

import json
from pathlib import Path

from tflrepair.errors import BadFileError
from tflrepair.opening import is_file, read_small
from tflrepair.weights.native.client import LibraryFile
from tflrepair.weights.readers import keras3
from tflrepair.weights.types.weight import Source
from tflrepair.wording import plural

_LONGEST = 1 << 22  # JSON takes up to 25 times its size in memory
_MOST_SHARDS = 10_000


def looks_like(head: bytes) -> bool:
    return head.lstrip()[:1] == b"{"


def source(label: str) -> Source:
    """All shards as one source.

    Raises:
        BadFileError: no index of shards, a shard outside the index's folder, missing or damaged,
            or an array in two shards.
    """
    path = Path(label)
    files = [LibraryFile(path.parent / name, label, "hdf5") for name in _shards(path, label)]
    return keras3.merged(files, label, "sharded Keras 3 weights")


def _shards(path: Path, label: str) -> list[str]:
    text = read_small(path, _LONGEST)
    try:
        index = json.loads(text)
        groups = index["weight_map"].values()
        names = sorted({n for g in groups for n in ([g] if isinstance(g, str) else g)})
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise BadFileError("is JSON, but not a Keras index of weight shards", where=label) from None
    if len(names) > _MOST_SHARDS:
        raise BadFileError(f"names {plural(len(names), 'shard')}", where=label)
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or name in ("", ".", ".."):
            raise BadFileError(f"names a shard outside its folder: {name!r}", where=label)
        if not is_file(path.parent / name):
            raise BadFileError(f"names a missing shard: {name!r}", where=label)
    return names
