"""Sparse constants count with their indices, which stand outside their buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from typer.testing import CliRunner

from tflrepair.cli import app
from tflrepair.graph.model import Model, from_bytes
from tflrepair.views.sizes import sizes
from tflrepair.views.tensors import SubgraphView

ROWS, COLUMNS = 40, 200


def level(kind: str, segments: Sequence[int], indices: Sequence[int]) -> fb.DimensionMetadataT:
    made = fb.DimensionMetadataT()
    made.format = fb.DimensionType.SPARSE_CSR
    for name, values in (("Segments", segments), ("Indices", indices)):
        vector = getattr(fb, f"{kind}VectorT")()
        vector.values = list(values)
        setattr(made, f"array{name}Type", getattr(fb.SparseIndexVector, f"{kind}Vector"))
        setattr(made, f"array{name}", vector)
    return made


def sparse(kind: str, *, shared: bool = False) -> bytes:
    """A matrix of 40 x 200 with a value in each row; ``shared``: two tensors on one buffer."""
    build = Build()
    main = build.sub("main", "main")
    data = np.arange(1, ROWS + 1, dtype="<f4").tobytes()
    rows = fb.DimensionMetadataT()
    rows.denseSize = ROWS
    stored = [main.tensor(shape=(ROWS, COLUMNS), data=data) for _ in range(1 + shared)]
    for tensor in stored:
        main.table.tensors[tensor].buffer = main.table.tensors[stored[0]].buffer
        sparsity = fb.SparsityParametersT()
        sparsity.traversalOrder = [0, 1]
        sparsity.dimMetadata = [rows, level(kind, range(ROWS + 1), range(ROWS))]
        main.table.tensors[tensor].sparsity = sparsity
        dense = main.tensor(shape=(ROWS, COLUMNS))
        main.op("DENSIFY", [tensor], [dense])
        main.output(dense)
    return build.bytes()


def stored(data: bytes) -> tuple[Model, int]:
    model = from_bytes(data)
    found = sizes(model, (SubgraphView(model, 0),))
    assert found.weights + found.metadata + found.unreferenced + found.structure == model.size
    assert found.by_kind["DENSIFY"][1] == found.weights
    return model, found.weights


@pytest.mark.parametrize(("kind", "item"), [("Int32", 4), ("Uint16", 2), ("Uint8", 1)])
def test_indices_count_with_their_tensor(kind: str, item: int) -> None:
    _, weights = stored(sparse(kind))
    assert weights == 4 * ROWS + item * (2 * ROWS + 1) + 4 * 2  # values, indices, order


def test_each_tensor_has_indices_of_its_own() -> None:
    _, one = stored(sparse("Int32"))
    model, two = stored(sparse("Int32", shared=True))
    assert two - one == one - 4 * ROWS
    assert model.size > two


def test_a_dense_constant_has_none() -> None:
    build = Build()
    main = build.sub("main", "main")
    x, out = main.input(shape=(4,)), main.tensor(shape=(4,))
    main.op("ADD", [x, main.tensor(shape=(4,), data=b"\1" * 16)], [out])
    main.output(out)
    model = from_bytes(build.bytes())
    assert sizes(model, (SubgraphView(model, 0),)).weights == 16


def test_show_prints_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sparse") / "sparse.tflite"
    path.write_bytes(sparse("Int32"))
    told = CliRunner().invoke(app, ["show", str(path)])
    assert told.exit_code == 0
    rows = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert "constants and initial values 492 bytes" in rows
