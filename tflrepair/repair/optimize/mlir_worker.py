"""The child process that folds: ``python mlir_worker.py IN OUT``.

MLIR is native code that aborts on what it cannot digest, so it never runs in the caller's process.
A file of its own that needs litert-converter and nothing of tflrepair.

The pipeline is the end of what the TensorFlow Lite converter runs itself
(tensorflow/compiler/mlir/lite/tf_tfl_passes.cc, AddPostVariableFreezingTFToTFLConversionPasses).
"""

from __future__ import annotations

import sys
from pathlib import Path

PIPELINE = "builtin.module(canonicalize,cse,func.func(tfl-optimize),canonicalize,cse)"


def main(source: Path, target: Path) -> None:
    limit()
    from litert_converter.mlir import ir, passmanager
    from litert_converter.mlir._mlir_libs import converter_api_ext, model_utils_ext

    context = ir.Context()
    converter_api_ext.prepare_mlir_context(context)
    with context:
        module = model_utils_ext.flatbuffer_to_mlir(source.read_bytes(), context)
        operation = getattr(module, "operation", module)
        passmanager.PassManager.parse(PIPELINE).run(operation)
        target.write_bytes(converter_api_ext.export_flatbuffer_to_bytes(operation))


def limit() -> None:
    """No core files, and not more memory than the machine has."""
    try:
        import os
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or memory < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))


if __name__ == "__main__":
    del sys.path[0]  # this file's folder, whose modules could shadow others
    main(Path(sys.argv[1]), Path(sys.argv[2]))
