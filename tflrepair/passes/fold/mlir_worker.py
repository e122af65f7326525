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
