"""Constants that the converter made of Keras networks: all that is matched is what was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build import save_npz
from conftest import made

import tflrepair
from tflrepair import weights
from tflrepair.analysis.variables import analyse
from tflrepair.errors import BadFileError, RefusedError
from tflrepair.graph.model import Model, load
from tflrepair.passes.graft.plan import needing_values
from tflrepair.weights import Source
from tflrepair.weights.constants.layer_constants import LayerConstant
from tflrepair.weights.types.layer_names import split_number
from weights.cases import DATA, answers_right
from weights.constants import matched, said, taken

pytestmark = pytest.mark.tf

# network -> variables (without the names and numbers of the models around) that must be refused,
# and a part of the reason
FOLDED = {
    "conv_bn": {
        "conv2d/kernel": "MUL",
        "batch_normalization/gamma": "does not use it as a layer does",
    },
    "conv_bias_bn": {"conv2d/kernel": "MUL", "conv2d/bias": "MUL"},
    "depthwise_bn": {"depthwise_conv2d/kernel": "MUL"},
    "separable_bn": {"separable_conv2d/pointwise_kernel": "MUL", "separable_conv2d/bias": "MUL"},
    "transposed_bn": {"conv2d_transpose/kernel": "MUL"},
    "dense_bn": {"dense/kernel": "MUL"},
    "bn_conv": {"conv2d/kernel": "MUL", "conv2d/bias": "ADD"},
    "conv_times": {"scaled/kernel": "MUL"},
    "times_conv": {"conv2d/kernel": "MUL"},
    "times_dense_times": {"dense/kernel": "MUL", "dense/bias": "MUL"},
    "linear_row": {"dense/bias": "dense"},
    "shared": {"dense/bias": "dense"},
    "scaled_kernel": {"scaled_dense/kernel": "does not use it as a layer does"},
    "times_conv_there": {"conv2d/kernel": "no layer in the weights fits"},
    "times_dense_there": {},  # the first of its two layers: see below
    "dense_times_there": {"dense/kernel": "no layer in the weights fits"},
}


def folder(network: str) -> Path:
    return made("constants") / network


def true(network: str) -> dict[str, np.ndarray]:
    return dict(np.load(folder(network) / "values.npz"))


def plain(name: str) -> str:
    """``sequential_1/conv2d_7/kernel`` -> ``conv2d/kernel``."""
    *_, layer, role = name.split("/")
    return f"{split_number(layer)[0]}/{role}"


@pytest.mark.parametrize("network", ["layers", "text"])
def test_everything_is_right_where_nothing_can_be_folded(network: str) -> None:
    table = matched(folder(network) / "model.tflite", folder(network) / "source.tflite")
    assert not table.problems
    values = taken(table)
    assert values.keys() == true(network).keys()
    assert all(np.array_equal(values[n], v) for n, v in true(network).items())
    assert answers_right(str(folder(network)), table)


@pytest.mark.parametrize("network", FOLDED)
def test_what_may_be_folded_is_refused_and_the_rest_is_right(network: str) -> None:
    table = matched(folder(network) / "model.tflite", folder(network) / "source.tflite")
    values, wanted = taken(table), true(network)
    assert all(np.array_equal(value, wanted[name]) for name, value in values.items())
    for short, reason in FOLDED[network].items():
        names = [name for name in wanted if plain(name) == short]
        assert names, (short, sorted(wanted))
        for name in names:
            assert name not in values
            assert reason in said(table, name)


def test_a_factor_that_only_the_other_model_has() -> None:
    """The broken model cannot show it; the constant's location does."""
    here = folder("times_dense_there")
    table = matched(here / "model.tflite", here / "source.tflite")
    wanted = true("times_dense_there")
    assert {v.shape for v in taken(table).values()} == {(4, 2), (2,)}
    assert {wanted[r.target.shared_name].shape for r in table.rows if r.weight is None} == {
        (8, 4),
        (4,),
    }


@pytest.mark.parametrize("network", ["conv_times", "scaled_kernel"])
def test_names_and_shapes_do_not_show_what_was_folded(network: str) -> None:
    """Why the model must prove it: where it is not asked, a folded constant is taken."""
    model, file = folder(network) / "model.tflite", folder(network) / "source.tflite"
    opened = weights.open_weights(file)
    offered = [replace(c, layer=c.chain, role=c.part, plain=bool(c.chain)) for c in _of(opened)]
    whole = load(model)
    targets = weights.targets_of(whole, needing_values(analyse(whole)))
    table = weights.match(targets, [Source(opened.label, "constants", tuple(offered))])
    assert any(not np.array_equal(v, true(network)[n]) for n, v in taken(table).items())


def _of(source: Source) -> list[LayerConstant]:
    return [weight for weight in source.weights if isinstance(weight, LayerConstant)]


def test_values_of_the_batch_norm_alone_do_not_help_the_convolution(tmp_path: Path) -> None:
    arrays = true("conv_bn")
    save_npz(tmp_path / "bn.npz", {n: v for n, v in arrays.items() if "batch" in n})
    here = folder("conv_bn")
    table = matched(here / "model.tflite", here / "source.tflite", tmp_path / "bn.npz")
    values = taken(table)
    assert all(np.array_equal(value, arrays[name]) for name, value in values.items())
    assert {plain(name) for name in arrays.keys() - values.keys()} == {"conv2d/kernel"}
    (kernel,) = arrays.keys() - values.keys()
    assert "MUL" in said(table, kernel)


@pytest.mark.parametrize("network", ["conv_bn", "conv_times"])
def test_another_file_gives_what_the_constants_do_not(tmp_path: Path, network: str) -> None:
    arrays = true(network)
    save_npz(tmp_path / "conv.npz", {n: v for n, v in arrays.items() if "dense" not in n})
    here = folder(network)
    table = matched(here / "model.tflite", here / "source.tflite", tmp_path / "conv.npz")
    assert not table.problems
    assert all(np.array_equal(value, arrays[name]) for name, value in taken(table).items())
    assert answers_right(str(here), table)


@pytest.mark.parametrize("file", sorted(p.name for p in (DATA / "constants").iterdir()))
def test_data_is_current(file: str) -> None:
    """Those of the same names in tests/weights/data/constants are what the converter makes."""
    if file.endswith(".npz"):
        old, new = np.load(DATA / "constants" / file), np.load(folder("layers") / file)
        assert all(np.allclose(old[name], new[name], atol=1e-6) for name in old)
    else:
        old, new = load(DATA / "constants" / file), load(folder("layers") / file)
        assert _outline(old) == _outline(new)


def _outline(model: Model) -> list[list[str]]:
    return [[op.name for op in graph.operators] for graph in model.subgraphs]


def test_fix_takes_the_constants_of_a_copy_for_inference(tmp_path: Path) -> None:
    made_here, out = folder("layers"), tmp_path / "out.tflite"
    answers = np.load(made_here / "io.npz")
    np.savez(tmp_path / "in.npz", x=answers["x"])
    np.savez(tmp_path / "out.npz", y=answers["y"])
    check = (tmp_path / "in.npz", tmp_path / "out.npz")
    model, source = made_here / "model.tflite", made_here / "source.tflite"
    result = tflrepair.fix(model, [source], out=out, check=check)
    assert result.after is not None and result.after.ok
    with pytest.raises(BadFileError, match="constants that are quantized"):
        tflrepair.fix(model, [made_here / "int8.tflite"], out=tmp_path / "no.tflite")
    folded = folder("conv_bias_bn")
    with pytest.raises(RefusedError, match="the converter folds"):
        tflrepair.fix(
            folded / "model.tflite", [folded / "source.tflite"], out=tmp_path / "no.tflite"
        )
    assert not (tmp_path / "no.tflite").exists()
