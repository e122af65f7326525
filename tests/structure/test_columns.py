"""The columns of a verified file say what its tables say, read one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflrepair.graph.model import Model, load

DATA = Path(__file__).parents[1] / "data"
FILES = sorted(DATA.glob("*.tflite"))


def both(path: Path) -> tuple[Model, Model]:
    verified = load(path)
    verified.walk()
    return verified, load(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_columns_are_the_same_verified_or_not(path: Path) -> None:
    verified, plain = both(path)
    assert len(verified.subgraphs) == len(plain.subgraphs) > 0
    for one, other in zip(verified.subgraphs, plain.subgraphs, strict=True):
        assert one.known is not None
        assert other.known is None
        assert one.operators == other.operators
        assert one.builtin_codes == other.builtin_codes
        assert one.operator_names() == other.operator_names()
        assert [o.table.pos for o in one.operators] == [o.table.pos for o in other.operators]
        for index in range(one.tensor_count):
            tensor = other.tensor(index)
            assert one.typed(index) == other.typed(index)
            assert one.typed(index) == (tensor.dtype, tensor.shape, tensor.has_rank)
            assert one.tensor_columns.buffers[index] == tensor.buffer


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_buffer_is_the_one_among_all(path: Path) -> None:
    model = load(path)
    assert tuple(map(model.buffer, range(model.buffer_count))) == model.buffers
