"""Which layers are Keras's own, as config.json tells, also of layers inside layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tflrepair.weights import open_weights
from tflrepair.weights.readers.own_classes import own_classes


def layer(kind: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "module": module, "config": config}


def model(*layers: dict[str, Any], kind: str = "Functional") -> dict[str, Any]:
    return layer(kind, "keras", layers=list(layers))


def test_cells_and_what_is_wrapped() -> None:
    cells = [layer("GRUCell"), layer("GRUCell"), layer("MyCell", "mine")]
    found = own_classes(
        model(
            layer("RNN", cell=layer("StackedRNNCells", cells=cells)),
            layer("Bidirectional", layer=layer("LSTM"), backward_layer=layer("MyRNN", "mine")),
            layer("TimeDistributed", layer=model(layer("InputLayer"), layer("Dense"))),
            layer("RNN", cell=layer("LSTMCell")),
        )
    )
    assert found == {
        "": True,
        "layers/rnn": True,
        "layers/rnn/cell": True,
        "layers/rnn/cell/cells/gru_cell": True,
        "layers/rnn/cell/cells/gru_cell_1": True,
        "layers/rnn/cell/cells/my_cell": False,
        "layers/bidirectional": True,
        "layers/bidirectional/forward_layer": True,
        "layers/bidirectional/forward_layer/cell": True,
        "layers/bidirectional/backward_layer": False,
        "layers/time_distributed": True,
        "layers/time_distributed/layer": True,
        "layers/time_distributed/layer/layers/input_layer": True,
        "layers/time_distributed/layer/layers/dense": True,
        "layers/rnn_1": True,
        "layers/rnn_1/cell": True,
    }


def test_a_class_of_ones_own_is_not_looked_into() -> None:
    """Where it keeps what its config describes is its own affair."""
    found = own_classes(model(layer("Block", "mine", cell=layer("GRUCell"), layer=layer("Dense"))))
    assert found == {"": True, "layers/block": False}


@pytest.mark.parametrize(
    "config",
    [{}, layer("Dense", None), model({}), {"class_name": "RNN", "module": 1, "config": {"cell": 2}},
     {"class_name": 1, "config": {}}, layer("RNN", None, cell=layer("GRUCell"))],
)  # fmt: skip
def test_a_config_that_does_not_tell(config: dict[str, Any]) -> None:
    assert set(own_classes(config)) <= {""}


def test_configs_in_configs_end_somewhere() -> None:
    row = layer("Dense")
    for _ in range(400):
        row = layer("TimeDistributed", layer=row)
    assert len(own_classes(model(row))) < 100


@pytest.mark.tf
@pytest.mark.runs
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, with NumPy 2
def test_the_paths_are_those_that_keras_writes(tmp_path: Path) -> None:
    import keras

    class Cell(keras.layers.SimpleRNNCell):
        pass

    class Block(keras.layers.Layer):
        def __init__(self, **more: Any) -> None:
            super().__init__(**more)
            self.inner = keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    lay = keras.layers
    inner = keras.Sequential([keras.Input((3,)), lay.Dense(3)])
    x = y = keras.Input((4, 3))
    wrapped = [
        lay.Bidirectional(lay.LSTM(3, return_sequences=True, name="both"), merge_mode="ave"),
        lay.TimeDistributed(inner),
        lay.TimeDistributed(lay.TimeDistributed(lay.Dense(3)).layer),
        lay.RNN([lay.GRUCell(3), lay.SimpleRNNCell(3), lay.GRUCell(3), Cell(3)],
                return_sequences=True),
        lay.SpectralNormalization(lay.Dense(3)),
        Block(),
        lay.SimpleRNN(3),
    ]  # fmt: skip
    for one in wrapped:
        y = one(y)
    keras.Model(x, y).save(tmp_path / "model.keras")
    source = open_weights(tmp_path / "model.keras")
    paths = {"/".join(weight.keys) for weight in source.weights if weight.plain}
    told = {path: source.own_classes.get(path) for path in paths}
    assert told == {
        "layers/bidirectional/forward_layer/cell": True,
        "layers/bidirectional/backward_layer/cell": True,
        "layers/time_distributed/layer/layers/dense": True,
        "layers/time_distributed_1/layer": True,
        "layers/rnn/cell/cells/gru_cell": True,
        "layers/rnn/cell/cells/gru_cell_1": True,
        "layers/rnn/cell/cells/simple_rnn_cell": True,
        "layers/rnn/cell/cells/cell": False,
        "layers/spectral_normalization": True,
        "layers/spectral_normalization/layer": True,
        "layers/block/inner": None,
        "layers/simple_rnn/cell": True,
    }
