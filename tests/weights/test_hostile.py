"""Weights files that are damaged or made to harm: our errors only, and nothing outside is read."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tflrepair.errors import BadFileError, TflRepairError, UserError
from tflrepair.weights import open_weights
from weights.cases import DATA, match

ROW = DATA / "row"
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(path: Path, said: str) -> None:
    with pytest.raises(BadFileError, match=said) as caught:
        for weight in open_weights(path).weights:
            weight.read()
    assert str(path) in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["donor.weights.h5", "donor.keras", "donor.h5", "by_path.npz"])
@SLOW
@given(cut=st.floats(0, 0.999), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
def test_damage_gives_our_errors_or_a_table(
    tmp_path: Path, file: str, cut: float, flips: list[tuple[float, int]]
) -> None:
    data = bytearray((ROW / file).read_bytes())
    data = data[: int(len(data) * cut)] if not flips else data
    for place, value in flips:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path / file
    path.write_bytes(data)
    try:
        table = match("row", path)
        for row in table.rows:
            if row.origin == "weight":
                row.value()
    except TflRepairError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<html><body>404</body></html>", "not a recognized weights file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not a recognized weights file"),
        (b'{"weight_map": 3}', "not a Keras index"),
        (b"\x80\x04K\x01.", "not a recognized weights file"),
        (b"PK\x05\x06" + bytes(18), "neither .keras nor .npz"),
        (b"\x89HDF\r\n\x1a\n", "not a readable HDF5"),
    ],
)
def test_what_is_no_file_of_weights(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "w"
    path.write_bytes(content)
    refused(path, said)


def test_no_file_a_folder_and_a_wrong_object(tmp_path: Path) -> None:
    refused(tmp_path / "nothing", "no such file")
    refused(tmp_path, "not a SavedModel")
    with pytest.raises(UserError, match="not a source of weights"):
        open_weights(3.5)


def _link(path: Path, link: object) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("layers/dense/vars")["0"] = link


def test_links_in_hdf5_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones(3)
    path = tmp_path / "w.weights.h5"
    _link(path, h5py.ExternalLink(str(secret), "x"))
    refused(path, "ExternalLink")
    _link(path, h5py.SoftLink("/layers"))
    refused(path, "SoftLink")


def test_data_outside_hdf5_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(12))
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", (3,), "f4", external=[(str(tmp_path / "raw"), 0, 12)])
    refused(path, "outside the file")
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(3,))
    with h5py.File(path, "w") as file:
        file.create_group("layers/dense/vars").create_virtual_dataset("0", layout)
    refused(path, "outside the file")


def test_hdf5_arrays_bigger_than_the_file_are_not_allocated(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", (1 << 24, 1 << 16), "f4", chunks=(1024, 1024))
    refused(path, "stores")
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", (1 << 24, 1 << 16), "f4", chunks=(64, 64), compression="gzip")
    refused(path, "stores")


def test_groups_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["layers"] = file["layers"]  # a hard link to what is above
    refused(path, "contains itself")


def test_npz_is_never_unpickled(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path(str(tmp_path / "harmed")).write_text, ("x",))

    path = tmp_path / "w.npz"
    np.savez(path, allow_pickle=True, a=np.array([Harm()], dtype=object))
    refused(path, "not numbers")
    assert pickle  # what would have run
    assert not (tmp_path / "harmed").exists()


def _npz(path: Path, head: bytes, data: bytes = b"") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", head + data)


def test_npz_arrays_bigger_than_their_member(tmp_path: Path) -> None:
    head = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40, 1 << 20)}
    np.lib.format.write_array_header_1_0(head, shape)
    _npz(tmp_path / "w.npz", head.getvalue(), bytes(64))
    refused(tmp_path / "w.npz", "does not fit its size")


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(1 << 20))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (0xF0000000).to_bytes(4, "little")  # declared size
    path.write_bytes(data)
    refused(path, "declares")


def test_names_that_lead_out_of_a_zip_are_only_names(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    head = io.BytesIO()
    np.lib.format.write_array(head, np.ones(3, "f4"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.npy", head.getvalue())
    assert [w.read().tolist() for w in open_weights(path).weights] == [[1.0, 1.0, 1.0]]
    assert list(tmp_path.iterdir()) == [path]


def test_keras_files_with_missing_or_wrong_parts(tmp_path: Path) -> None:
    path = tmp_path / "w.keras"
    with zipfile.ZipFile(ROW / "donor.keras") as archive:
        weights = archive.read("model.weights.h5")
    for config, said in ((None, "not a .keras"), (b"{", "not JSON"), (b"[" * 100_000, "not JSON")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5", weights)
            if config is not None:
                archive.writestr("config.json", config)
        refused(path, said)


def test_a_packed_keras_file_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "w.keras"
    with (
        zipfile.ZipFile(ROW / "donor.keras") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    one, two = open_weights(path), open_weights(ROW / "donor.keras")
    assert [w.read().tolist() for w in one.weights] == [w.read().tolist() for w in two.weights]


@pytest.mark.parametrize("name", ["../row/donor.weights.h5", "/etc/passwd", "gone.h5", ".", ""])
def test_shards_outside_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "w.weights.json"
    path.write_text(json.dumps({"weight_map": {"/layers/dense/vars": name}}))
    refused(path, "shard")


def test_a_legacy_file_whose_lists_lie(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    shutil.copy(ROW / "donor.h5", path)
    with h5py.File(path, "r+") as file:
        del file["model_weights"][file["model_weights"].attrs["layer_names"][1]]
    refused(path, "does not hold")
