"""The child process that runs a model and writes its intermediate tensors: ``worker.py FOLDER``.

Needs numpy and a runtime. FOLDER holds

    job.json        {"module", "model", "signature" or null, "subgraph",
                     "inputs": [[name, tensor, array], ...], "tensors": [index, ...],
                     "seconds": that it may compute}
    inputs.npz      the arrays
    N.npy           the value of tensor N after the run, in the model's own type
    done.json       {"missing": {N: why}}, written last; or {"error": what the runtime said}

The kernels are the builtin ones, one thread, without the default delegate: it would fuse operators
whose values are asked for.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from tflrepair.processes.launch import limit_time


def main(folder: Path) -> None:
    import numpy as np

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        arrays = np.load(folder / "inputs.npz", allow_pickle=False)
        limit_time(job["seconds"])
        interpreter = _run(job, arrays)
        limit_time(0)
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        (folder / "done.json").write_text(json.dumps({"error": text}), encoding="utf-8")
        return
    missing = {}
    for index in job["tensors"]:
        try:
            value = np.asarray(interpreter.get_tensor(index, job["subgraph"]))
            if value.dtype.kind in "OSUV":
                raise ValueError(f"values of type {value.dtype} are not compared")
            np.save(folder / f"{index}.npy", value, allow_pickle=False)
        except Exception as error:
            missing[index] = str(error).strip() or type(error).__name__
    (folder / "done.json").write_text(json.dumps({"missing": missing}), encoding="utf-8")


def _run(job: dict[str, Any], arrays: Any) -> Any:
    module = importlib.import_module(job["module"])
    interpreter = module.Interpreter(
        model_path=job["model"],
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    inputs = [(name, tensor, arrays[key]) for name, tensor, key in job["inputs"]]
    if job["signature"] is not None:
        runner = interpreter.get_signature_runner(job["signature"])
        runner(**{name: value for name, _, value in inputs})
        return interpreter
    details = {row["index"]: tuple(row["shape"]) for row in interpreter.get_input_details()}
    for _, tensor, value in inputs:
        if details.get(tensor) != value.shape:
            interpreter.resize_tensor_input(tensor, value.shape)
    interpreter.allocate_tensors()
    for _, tensor, value in inputs:
        interpreter.set_tensor(tensor, value)
    interpreter.invoke()
    return interpreter


if __name__ == "__main__":
    main(Path(sys.argv[1]))
