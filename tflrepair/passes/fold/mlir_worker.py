"""The child process that folds: ``python mlir_worker.py IN OUT``.

MLIR is native code that aborts on what it cannot digest, so it never runs in the caller's process.
A file of its own that needs litert-converter and nothing of tflrepair.

The passes are some that TensorFlow's converter runs itself once its variables are frozen
(tensorflow/compiler/mlir/lite/tf_tfl_passes.cc, AddPostVariableFreezingTFToTFLConversionPasses).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PIPELINE = "builtin.module(canonicalize,cse,func.func(tfl-optimize),canonicalize,cse)"


def main(source: Path, target: Path) -> None:
    from litert_converter.mlir import ir, passmanager
    from litert_converter.mlir._mlir_libs import converter_api_ext, model_utils_ext

    context = ir.Context()
    converter_api_ext.prepare_mlir_context(context)
    with context:
        module = model_utils_ext.flatbuffer_to_mlir(source.read_bytes(), context)
        operation = getattr(module, "operation", module)
        operation.walk(lambda row: shorten(ir, row))
        passmanager.PassManager.parse(PIPELINE).run(operation)
        if split_constants(ir, operation) + dense_layers(ir, operation):
            passmanager.PassManager.parse(PIPELINE).run(operation)
        check(ir, operation)
        target.write_bytes(converter_api_ext.export_flatbuffer_to_bytes(operation))


def shorten(ir: Any, operation: Any) -> Any:
    """Name the results of one operator after the first: ``split``, ``split1``, ``split2``.

    The importer's location joins all their names, and the exporter would give each result the
    whole joined text: a loop of 60 values grows the file by 200 KB.
    """
    if len(operation.results) > 1:
        location = operation.location
        while isinstance(location, ir.FusedLoc) and location.locations:
            location = location.locations[0]
        operation.location = location
    return ir.WalkResult.ADVANCE


def named(ir: Any, module: Any, name: str) -> list[Any]:
    """All operations ``name``, those inside of functions among them."""
    found: list[Any] = []

    def note(operation: Any) -> Any:
        if operation.name == name:
            found.append(operation)
        return ir.WalkResult.ADVANCE

    module.walk(note)
    return found


def constant(ir: Any, value: Any) -> Any:
    """The dense elements of ``value`` if it is a constant, else None."""
    maker = value.owner
    if isinstance(maker, ir.Block):  # an argument of a function
        return None
    maker = getattr(maker, "operation", maker)
    if maker.name not in ("arith.constant", "tfl.pseudo_const"):
        return None
    found = maker.attributes["value"]
    return found if isinstance(found, ir.DenseElementsAttr) else None


def put(ir: Any, before: Any, elements: Any) -> Any:
    """A new constant in front of ``before``."""
    made = ir.Operation.create(
        "arith.constant", results=[elements.type], attributes={"value": elements},
        loc=before.location, ip=ir.InsertionPoint(before),
    )  # fmt: skip
    return made.results[0]


def split_constants(ir: Any, module: Any) -> int:
    """SPLIT of a float constant, which GRU does with its biases in each turn, becomes its parts.

    MLIR has no folder for it. The parts are the same bytes.
    """
    import numpy as np

    count = 0
    for split in named(ir, module, "tfl.split"):
        axis, whole = (constant(ir, value) for value in split.operands)
        if axis is None or whole is None or not isinstance(whole.type.element_type, ir.F32Type):
            continue
        parts = np.split(np.array(whole), len(split.results), int(np.array(axis).reshape(-1)[0]))
        for result, part in zip(split.results, parts, strict=True):
            elements = ir.DenseElementsAttr.get(np.ascontiguousarray(part))
            if elements.type == result.type:
                result.replace_all_uses_with(put(ir, split, elements))
                count += 1
    return count


def dense_layers(ir: Any, module: Any) -> int:
    """BATCH_MATMUL by a constant matrix becomes FULLY_CONNECTED, which then takes in the bias.

    What TensorFlow's converter does in tensorflow/compiler/mlir/lite/transforms/
    optimize_batch_matmul.cc, a pass that litert-converter has not registered.
    """
    import numpy as np

    count = 0
    for product in named(ir, module, "tfl.batch_matmul"):
        left, right = product.operands
        matrix, out = constant(ir, right), product.results[0]
        types = [left.type, right.type, out.type]
        if matrix is None or not all(isinstance(kind, ir.RankedTensorType) for kind in types):
            continue
        plain = all(isinstance(kind.element_type, ir.F32Type) for kind in types)
        rank = left.type.rank
        if not plain or right.type.rank != 2 or rank < 2 or out.type.rank != rank:
            continue
        if product.attributes["adj_x"].value:
            continue
        weights = right
        if not product.attributes["adj_y"].value:
            turned = np.ascontiguousarray(np.array(matrix).T)
            weights = put(ir, product, ir.DenseElementsAttr.get(turned))
        made = ir.Operation.create(
            "tfl.fully_connected", results=[out.type],
            operands=[left, weights, nothing(ir, product)],
            attributes={
                "asymmetric_quantize_inputs": ir.BoolAttr.get(False),
                "fused_activation_function": ir.StringAttr.get("NONE"),
                "keep_num_dims": ir.BoolAttr.get(rank > 2),
                "weights_format": ir.StringAttr.get("DEFAULT"),
            },
            loc=product.location, ip=ir.InsertionPoint(product),
        )  # fmt: skip
        out.replace_all_uses_with(made.results[0])
        product.erase()
        count += 1
    return count


def nothing(ir: Any, before: Any) -> Any:
    """The operand that stands for an input left out."""
    made = ir.Operation.create(
        "tfl.no_value", results=[ir.NoneType.get()], attributes={"value": ir.UnitAttr.get()},
        loc=before.location, ip=ir.InsertionPoint(before),
    )  # fmt: skip
    return made.results[0]


def check(ir: Any, module: Any) -> None:
    """An IF of a constant becomes a call, which the exporter refuses without saying why."""
    names = set()

    def note(operation: Any) -> Any:
        names.add(operation.name)
        return ir.WalkResult.ADVANCE

    module.walk(note)
    if names & {"tf.PartitionedCall", "tf.StatefulPartitionedCall"}:
        sys.exit("error: the condition of an IF is a constant")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
