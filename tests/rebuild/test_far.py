"""A model that is not in memory has the options that it has in memory: from copies of tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DATA

from tflrepair.graph.model import Model, from_source, load
from tflrepair.rebuild.ir.builtin_options import _fields
from tflrepair.sources.pages import Pages
from tflrepair.sources.source import MemorySource

pytestmark = pytest.mark.tf


class Small(MemorySource):
    """In pages of 64 bytes."""

    grain = 64


def options(model: Model) -> list[str]:
    return [repr(_fields(row)) for graph in model.subgraphs for row in graph.operators]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.tflite")), ids=lambda path: path.stem)
def test_the_options_are_the_same(path: Path) -> None:
    near, far = load(path), from_source(Pages(Small(path.read_bytes())))
    assert far.is_open and not near.is_open
    assert options(far) == options(near)
