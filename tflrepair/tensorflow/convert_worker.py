"""The child process that converts: ``python convert_worker.py FOLDER``.

TensorFlow's converter is native code that dies on some graphs (of SIGFPE where it folds an integer
division by zero, say), so it does not run in the caller's process. A file of its own that needs
TensorFlow and nothing of tflrepair. FOLDER, which the caller made for this and nobody else may
write to, holds

    job.pickle      {"saved_model": path, "signatures": [key, ...], "options": {name: value}}
    samples.pickle  the samples of a representative dataset, one pickle after the other, if any
    step.txt        what the converter is at, in words; there whole or not at all
    model.tflite    what came out; there whole or not at all
    error.json      {"kind": name of an exception, "text": its message} if nothing did
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

JOB, SAMPLES, RESULT, ERROR = "job.pickle", "samples.pickle", "model.tflite", "error.json"
STEP = "step.txt"

_LONGEST = 4_000_000  # characters of an error: the converter writes some 2,000 for each operator

Tell = Callable[[str], None]


class NoOption(Exception):
    """The converter has no option of this name."""


def main(folder: Path) -> None:
    def tell(text: str) -> None:
        with (folder / STEP).open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")

    try:
        # written by the caller a moment ago, types of TensorFlow among it
        job = pickle.loads((folder / JOB).read_bytes())
        options = job["options"]
        if (folder / SAMPLES).exists():
            options["representative_dataset"] = samples(folder / SAMPLES, tell)
        data = convert(job["saved_model"], job["signatures"], options, tell)
    except Exception as error:
        text = {"kind": type(error).__name__, "text": str(error)[:_LONGEST]}
        (folder / ERROR).write_text(json.dumps(text), encoding="utf-8")
        return
    part = folder / f"{RESULT}.part"
    part.write_bytes(data)
    part.replace(folder / RESULT)


def _quiet(_text: str) -> None:
    """For who does not want to know."""


def convert(
    saved_model: str, signatures: Sequence[str], options: Mapping[str, Any], tell: Tell = _quiet
) -> bytes:
    """Convert with resource variables, and TensorFlow operators allowed unless ``options`` (by
    attribute of the converter) have a ``target_spec``.

    Raises NoOption, and whatever the converter raises.
    """
    tell("loading TensorFlow")
    import tensorflow as tf

    tell("reading the SavedModel")
    converter = tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=list(signatures)
    )
    kinds = tf.lite.OpsSet
    converter.target_spec.supported_ops = [kinds.TFLITE_BUILTINS, kinds.SELECT_TF_OPS]
    for name, value in options.items():
        if not hasattr(converter, name):
            raise NoOption(name)
        setattr(converter, name, value)
    converter.experimental_enable_resource_variables = True
    count = len(signatures)
    tell("converting 1 signature" if count == 1 else f"converting {count} signatures")
    return bytes(converter.convert())


def samples(path: Path, tell: Tell = _quiet) -> Callable[[], Iterator[Any]]:
    """The representative dataset in ``path``; it can be run through several times."""

    def read() -> Iterator[Any]:
        with path.open("rb") as stream:
            number = 0
            while stream.peek(1):
                number += 1
                tell(f"calibrating: sample {number}")
                yield pickle.load(stream)

    return read


if __name__ == "__main__":
    main(Path(sys.argv[1]))
