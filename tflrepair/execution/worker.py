"""The child process that runs models: ``worker.py FOLDER`` or ``worker.py --list``.

A file of its own that needs Python 3.9, numpy and a runtime, and nothing else: it is handed by
path to interpreters that do not have tflrepair. FOLDER holds

    job.json            {"module": the one with Interpreter, "tasks": [task, ...],
                        "seconds": that a call may compute, "whole": that all may}
    inputs.npz          the arrays that the calls' inputs name
    ready               written once the runtime is imported, or "unavailable" with the reason
    spent               seconds that this process had computed before the last task
    over                written instead of the tasks for which no time is left
    N.C.json, N.C.npz   what call C of task N gave; the .json comes last, and whole

A task is {"number": N, "model": path, "delegate": bool, "calls": [...]} and runs in one fresh
interpreter. A call is {"signature": key or null, "inputs": [[name, tensor, array], ...],
"outputs": [[name, tensor], ...]}; the tensor indices serve models without signatures, of which
subgraph 0 runs.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

# name -> (package to look for, distributions that bring it, module with Interpreter)
_TENSORFLOW = ["tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel", "tf-nightly"]
RUNTIMES = {
    "litert": ("ai_edge_litert", ["ai-edge-litert"], "ai_edge_litert.interpreter"),
    "tf.lite": (
        "tensorflow",
        _TENSORFLOW,
        "tensorflow.lite.python.interpreter",
    ),
}


def installed() -> dict[str, str]:
    """Runtimes of this Python, name to version (empty if unknown), found without an import."""
    found = {}
    for name, (package, distributions, _) in RUNTIMES.items():
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:  # no origin: the empty folder of an uninstalled one
            continue
        found[name] = ""
        for distribution in distributions:
            try:
                found[name] = importlib.metadata.version(distribution)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def main(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    try:
        import numpy as np

        module = importlib.import_module(job["module"])
        arrays = np.load(folder / "inputs.npz", allow_pickle=False)
    except Exception as error:
        _write(folder / "unavailable", f"{type(error).__name__}: {error}")
        return
    _write(folder / "ready", "")
    for task in job["tasks"]:
        spent = time.process_time()
        _write(folder / "spent", str(spent))
        if spent > job["whole"]:
            _write(folder / "over", "")
            return
        _run(module, task, arrays, folder, job["seconds"])


def _limit_time(seconds: float) -> None:
    """End this process once it has computed for ``seconds`` more (0: no limit).

    The time of its own, not of the clock: a busy machine makes no model look endless. As
    ``processes/launch.py`` has it, which a Python without tflrepair cannot import.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _run(module: Any, task: dict[str, Any], arrays: Any, folder: Path, seconds: float) -> None:
    interpreter = None
    for number, call in enumerate(task["calls"]):
        place = folder / f"{task['number']}.{number}"
        _limit_time(seconds)
        try:
            if interpreter is None:
                interpreter = _interpreter(module, task)
            _save(place, _invoke(interpreter, call, arrays))
        except Exception as error:
            text = str(error).strip() or type(error).__name__
            row = {"error": text, "allocating": _allocating(error)}
            _write(place.with_name(place.name + ".json"), json.dumps(row))
            return  # what an interpreter does after a failed call means nothing
        finally:
            _limit_time(0)


def _allocating(error: Exception) -> bool:
    """Whether the error came out of AllocateTensors, which runs no operator.

    Both ways in, ``allocate_tensors`` and a signature runner, call it by this name.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return any("AllocateTensors" in (frame.line or "") for frame in frames)


def _interpreter(module: Any, task: dict[str, Any]) -> Any:
    kinds = module.OpResolverType
    kind = kinds.AUTO if task["delegate"] else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return module.Interpreter(model_path=task["model"], experimental_op_resolver_type=kind)


def _invoke(interpreter: Any, call: dict[str, Any], arrays: Any) -> list[Any]:
    """(name, array) of each output."""
    inputs = [(name, tensor, arrays[key]) for name, tensor, key in call["inputs"]]
    if call["signature"] is not None:
        runner = interpreter.get_signature_runner(call["signature"])
        return list(runner(**{name: value for name, _, value in inputs}).items())
    for detail in interpreter.get_input_details():
        for _, tensor, value in inputs:
            if detail["index"] == tensor and tuple(detail["shape"]) != value.shape:
                interpreter.resize_tensor_input(tensor, value.shape)
    interpreter.allocate_tensors()
    for _, tensor, value in inputs:
        interpreter.set_tensor(tensor, value)
    interpreter.invoke()
    return [(name, interpreter.get_tensor(tensor)) for name, tensor in call["outputs"]]


def _save(place: Path, outputs: list[Any]) -> None:
    """Strings (object arrays of bytes) become their joined bytes and lengths: no pickle."""
    import numpy as np

    arrays: dict[str, Any] = {}
    rows = []
    for number, (name, value) in enumerate(outputs):
        array = np.asarray(value)
        rows.append({"name": name, "strings": array.dtype.kind in "OSU"})
        if rows[-1]["strings"]:
            texts = [t if isinstance(t, bytes) else str(t).encode() for t in array.ravel().tolist()]
            arrays[f"{number}.lengths"] = np.array([len(t) for t in texts], np.int64)
            arrays[f"{number}.shape"] = np.array(array.shape, np.int64)
            array = np.frombuffer(b"".join(texts), np.uint8)
        arrays[str(number)] = array
    np.savez(place.with_name(place.name + ".npz"), **arrays)
    _write(place.with_name(place.name + ".json"), json.dumps({"outputs": rows}))


def _write(path: Path, text: str) -> None:
    """All or nothing: this process may die at any time."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print(json.dumps(installed()))
    else:
        main(Path(sys.argv[1]))
