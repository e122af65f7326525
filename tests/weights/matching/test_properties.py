"""Whatever is done to names and order in a file: the answer is right or refused."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tflrepair import weights
from tflrepair.weights import MatchTable
from tflrepair.weights.types.layer_names import canonical
from weights.cases import CASES, DATA, match, same, targets, values

SLOW = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def right(case: str) -> dict[str, Any]:
    """What the whole file of a case gives to each variable."""
    return values(match(case, DATA / case / "donor.weights.h5"))


def right_or_refused(case: str, table: MatchTable) -> None:
    if not table.problems:
        assert same(values(table), right(case))


@pytest.mark.parametrize("case", ["row", "parallel", "subclassed"])
@SLOW
@given(data=st.data())
def test_the_order_of_an_npz_does_not_matter(
    case: str, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(DATA / case / "by_path.npz") as old, zipfile.ZipFile(path, "w") as new:
        for name in data.draw(st.permutations(old.namelist())):
            new.writestr(name, old.read(name))
    table = match(case, path)
    assert not table.problems
    right_or_refused(case, table)


def _copy(case: str, path: Path, order: list[str], rename: dict[str, str]) -> None:
    """The weights file with its groups written in another order and layer names replaced."""
    with h5py.File(DATA / case / "donor.weights.h5") as old, h5py.File(path, "w") as new:
        names: list[str] = []
        old.visititems(lambda name, thing: names.append(name))
        for name in order or names:
            thing = old[name]
            if isinstance(thing, h5py.Dataset):
                new[name] = thing[()]
            else:
                for key, value in thing.attrs.items():
                    new.require_group(name).attrs[key] = rename.get(value, value)


def _layers(case: str) -> list[str]:
    """The names of the layers in a weights file."""
    found = []
    with h5py.File(DATA / case / "donor.weights.h5") as file:
        file.visititems(lambda _, thing: found.append(thing.attrs.get("name")))
    return sorted({str(name) for name in found if name is not None})


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@SLOW
@given(data=st.data())
def test_the_order_of_an_hdf5_file_does_not_matter(
    case: str, tmp_path: Path, data: st.DataObject
) -> None:
    names: list[str] = []
    with h5py.File(DATA / case / "donor.weights.h5") as file:
        file.visititems(lambda name, thing: names.append(name))
    path = tmp_path / "w.weights.h5"
    path.unlink(missing_ok=True)
    _copy(case, path, data.draw(st.permutations(names)), {})
    table = match(case, path)
    assert not table.problems
    right_or_refused(case, table)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@SLOW
@given(data=st.data())
def test_all_layers_renamed(case: str, tmp_path: Path, data: st.DataObject) -> None:
    """Names that mean nothing, or nothing but a shift."""
    layers = _layers(case)
    shift = data.draw(st.integers(0, 50))
    if data.draw(st.booleans()):
        fresh = data.draw(
            st.lists(
                st.text("abcxyz", min_size=3, max_size=9),
                min_size=len(layers),
                max_size=len(layers),
                unique=True,
            )
        )
        rename = dict(zip(layers, fresh, strict=True))
    else:
        rename = {name: _shifted(name, shift) for name in layers}
    path = tmp_path / "w.weights.h5"
    path.unlink(missing_ok=True)
    _copy(case, path, [], rename)
    right_or_refused(case, match(case, path))


def _shifted(name: str, shift: int) -> str:
    base, _, number = name.rpartition("_")
    return f"{base}_{int(number) + shift}" if number.isdigit() else f"{name}_{shift + 1}"


@SLOW
@given(data=st.data())
def test_two_layers_of_one_shape_exchange_their_names(tmp_path: Path, data: st.DataObject) -> None:
    """In a chain, the order in the data flow contradicts the exchanged names."""
    layers = [name for name in _layers("row") if name.startswith(("dense", "batch"))]
    first = data.draw(st.sampled_from(layers))
    kind = first.split("_")[0]
    second = data.draw(st.sampled_from([n for n in layers if n.startswith(kind) and n != first]))
    path = tmp_path / "w.weights.h5"
    path.unlink(missing_ok=True)
    _copy("row", path, [], {first: second, second: first})
    table = match("row", path)
    assert table.problems
    right_or_refused("row", table)


@SLOW
@given(data=st.data())
def test_the_npz_of_another_process_with_any_shift_and_any_part(
    tmp_path: Path, data: st.DataObject
) -> None:
    """Numbers shifted and layers left out: right, or refused; never another layer's values."""
    arrays = dict(np.load(DATA / "row" / "by_path.npz"))
    layers = sorted({n.split("/")[0] for n in arrays})
    dropped = data.draw(st.sets(st.sampled_from(layers), max_size=len(layers) - 1))
    shift = data.draw(st.integers(0, 9))
    path = tmp_path / "w.npz"
    kept = {
        "/".join([_shifted(n.split("/")[0], shift), n.split("/")[1]]): a
        for n, a in arrays.items()
        if n.split("/")[0] not in dropped
    }
    np.savez(path, **kept)
    table = match("row", path)
    for row in table.rows:
        if row.origin == "weight" and not table.problems:
            assert np.array_equal(row.value(), right("row")[row.target.shared_name])
    assert bool(table.problems) or not dropped


@pytest.mark.parametrize("case", CASES)
@SLOW
@given(data=st.data())
def test_a_model_that_needs_only_a_part_of_the_file(case: str, data: st.DataObject) -> None:
    """Some layers frozen away: what is left is right or refused."""
    whole = targets(case)
    layers = sorted({t.read_as[0].rpartition("/")[0].rpartition("/")[0] for t in whole})
    kept = data.draw(st.sets(st.sampled_from(layers), min_size=1))
    chosen = [i for i, t in enumerate(whole) if t.read_as[0].startswith(tuple(kept))]
    part = [replace(whole[i], upstream=_compact(whole[i].upstream, chosen)) for i in chosen]
    table = weights.match(part, [weights.open_weights(DATA / case / "donor.weights.h5")])
    for row in table.rows:
        if row.origin == "weight":
            assert np.array_equal(row.value(), right(case)[row.target.shared_name])


def _compact(mask: int, positions: list[int]) -> int:
    return sum(1 << new for new, old in enumerate(positions) if mask >> old & 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Conv_1/BatchNorm", "conv_1_bn"),  # MobileNetV3
        ("conv1/bn", "conv1_bn"),  # DenseNet
        ("model_2", "functional_2"),
        ("model", "functional"),
    ],
)
def test_names_that_keras_3_gives_what_keras_2_called_otherwise(old: str, new: str) -> None:
    assert canonical(old) == canonical(new)
    assert canonical("model_of_mine") == "model_of_mine"
