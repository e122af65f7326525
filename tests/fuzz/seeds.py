"""What is damaged: sound files of every kind, small, from the tests' data or made here."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
from ai_edge_litert import schema_py_generated as fb
from build import Build

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests" / "data"
SAMPLES = ROOT / "tflrepair" / "samples"


def models() -> dict[str, bytes]:
    """Sound .tflite files, by name: real ones and one for each thing that is rarely used."""
    found = {path.stem: path.read_bytes() for path in sorted(DATA.glob("*.tflite"))}
    found["sample"] = (SAMPLES / "broken.tflite").read_bytes()
    for make in (_loop, _branch, _strings, _quantized, _blockwise, _sparse, _options, _composite):
        found[make.__name__.strip("_")] = make()
    return found


def _loop() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    start = main.input("INT32", ())
    end = main.tensor("INT32", ())
    main.loop(1, 2, [start], [end])
    main.output(end)
    condition = build.sub("condition")
    value = condition.input("INT32", ())
    answer = condition.tensor("BOOL", ())
    condition.op("LESS", [value, condition.tensor("INT32", (), b"\x05\0\0\0")], [answer])
    condition.output(answer)
    body = build.sub("body")
    value = body.input("INT32", ())
    more = body.tensor("INT32", ())
    body.op("ADD", [value, body.tensor("INT32", (), b"\x01\0\0\0")], [more], fb.AddOptionsT())
    body.output(more)
    return build.bytes()


def _branch() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    value, result = main.input(), main.tensor()
    main.branch(1, 2, [value], [result])
    main.output(result)
    for name in ("NEG", "ABS"):
        graph = build.sub(name.lower())
        value, result = graph.input(), graph.tensor()
        graph.op(name, [value], [result])
        graph.output(result)
    return build.bytes()


def _strings() -> bytes:
    build = Build()
    main = build.sub("labels", "labels")
    table = b"\x02\0\0\0\x10\0\0\0\x13\0\0\0\x16\0\0\0catdog"
    labels = main.tensor("STRING", (2,), table)
    index, chosen = main.input("INT32", (1,)), main.tensor("STRING", (1,))
    main.op("GATHER", [labels, index], [chosen], fb.GatherOptionsT())
    main.output(chosen)
    return build.bytes()


def _quantized() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    value, result = main.input("INT8", (1, 4)), main.tensor("INT8", (1, 3))
    weights = main.tensor("INT8", (3, 4), bytes(range(12)))
    for index, scales, axis in ((value, 1, 0), (result, 1, 0), (weights, 3, 0)):
        quantization = fb.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [0.5] * scales, [0] * scales
        quantization.quantizedDimension = axis
        main.table.tensors[index].quantization = quantization
    main.op("FULLY_CONNECTED", [value, weights, -1], [result], fb.FullyConnectedOptionsT())
    main.output(result)
    return build.bytes()


def _blockwise() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    value, result = main.input(shape=(1, 32)), main.tensor(shape=(1, 2))
    weights = main.tensor("INT4", (2, 32), bytes(32))
    scales = main.tensor("FLOAT16", (2, 1), b"\0\x3c\0\x3c")
    details = fb.BlockwiseQuantizationT()
    details.scales, details.zeroPoints, details.blockSize = scales, -1, 32
    quantization = fb.QuantizationParametersT()
    quantization.detailsType = fb.QuantizationDetails.BlockwiseQuantization
    quantization.details = details
    main.table.tensors[weights].quantization = quantization
    main.op("FULLY_CONNECTED", [value, weights, -1], [result], fb.FullyConnectedOptionsT())
    main.output(result)
    return build.bytes()


def _sparse() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    stored = main.tensor(shape=(2, 3), data=np.array([1, 2], "<f4").tobytes())
    rows, columns = fb.DimensionMetadataT(), fb.DimensionMetadataT()
    rows.denseSize = 2
    columns.format = fb.DimensionType.SPARSE_CSR
    for name, values in (("Segments", [0, 1, 2]), ("Indices", [0, 2])):
        vector = fb.Uint8VectorT()
        vector.values = values
        setattr(columns, f"array{name}Type", fb.SparseIndexVector.Uint8Vector)
        setattr(columns, f"array{name}", vector)
    sparsity = fb.SparsityParametersT()
    sparsity.traversalOrder, sparsity.dimMetadata = [0, 1], [rows, columns]
    main.table.tensors[stored].sparsity = sparsity
    dense = main.tensor(shape=(2, 3))
    main.op("DENSIFY", [stored], [dense])
    main.output(dense)
    return build.bytes()


def _options() -> bytes:
    """Operators with lists and types in their options."""
    build = Build()
    main = build.sub("main", "main")
    value = main.input(shape=(1, 4, 4, 1))
    reshape, squeeze, buckets = fb.ReshapeOptionsT(), fb.SqueezeOptionsT(), fb.BucketizeOptionsT()
    reshape.newShape, squeeze.squeezeDims, buckets.boundaries = [1, 16], [0], [0.5, 1.5]
    shape = fb.ShapeOptionsT()
    shape.outType = fb.TensorType.INT64
    flat = main.tensor(shape=(1, 16))
    main.op("RESHAPE", [value, main.tensor("INT32", (2,), b"\1\0\0\0\x10\0\0\0")], [flat], reshape)
    less = main.tensor(shape=(16,))
    main.op("SQUEEZE", [flat], [less], squeeze)
    inside = main.tensor("INT32", (16,))
    main.op("BUCKETIZE", [less], [inside], buckets)
    size = main.tensor("INT64", (1,))
    main.op("SHAPE", [inside], [size], shape)
    main.output(size)
    return build.bytes()


def _composite() -> bytes:
    build = Build()
    main = build.sub("main", "main")
    value, result = main.input(), main.tensor()
    options = fb.StableHLOCompositeOptionsT()
    options.name, options.decompositionSubgraphIndex = "test.negate", 1
    options.compositeAttributes = [0, 36, 1]  # an empty flexbuffer map
    main.op("STABLEHLO_COMPOSITE", [value], [result], options)
    main.output(result)
    inner = build.sub("negate")
    value, result = inner.input(), inner.tensor()
    inner.op("NEG", [value], [result])
    inner.output(result)
    return build.bytes()


def weights() -> dict[str, bytes]:
    """Files of weights by the name that they must have."""
    arrays = {"dense/kernel": np.ones((4, 3), "f4"), "dense/bias": np.zeros(3, "f4")}
    packed = io.BytesIO()
    np.savez(packed, kernel=arrays["dense/kernel"], bias=arrays["dense/bias"])
    sample = (SAMPLES / "classifier.weights.h5").read_bytes()
    return {
        "sample.weights.h5": sample,
        "model.keras": _keras(sample),
        "legacy.h5": _legacy(arrays),
        "values.npz": packed.getvalue(),
        "values.safetensors": _safetensors(arrays),
    }


def _keras(inner: bytes) -> bytes:
    layer = {"class_name": "Dense", "config": {"name": "dense", "units": 3}}
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": [layer]}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", inner)
    return out.getvalue()


def _legacy(arrays: dict[str, np.ndarray]) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.attrs["backend"] = "tensorflow"
        group = file.create_group("dense")
        group.attrs["weight_names"] = [f"{name}:0".encode() for name in arrays]
        for name, array in arrays.items():
            group[f"{name}:0"] = array
    return out.getvalue()


def _safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    header: dict[str, object] = {}
    blob = b""
    for name, array in arrays.items():
        ends = [len(blob), len(blob) + array.nbytes]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": ends}
        blob += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + blob
