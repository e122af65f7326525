"""A SavedModel converted by TensorFlow in a child process, whose death is an error like another."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tflrepair.errors import TflRepairError, UnsupportedError, UserError
from tflrepair.execution.child import run_script
from tflrepair.leftovers import workspace
from tflrepair.progress import Progress, silent
from tflrepair.tensorflow import convert_worker

WORKER = Path(__file__).with_name("convert_worker.py")
TIMEOUT = 3600.0  # seconds; a model of 130 MB takes half a minute, calibration may take many
_OFTEN = 0.2  # seconds between looks at what the child does
_LONGEST_LOG = 1_000_000  # bytes
_DATASET = "representative_dataset"


def convert_saved_model(
    folder: Path,
    signatures: Sequence[str],
    options: Mapping[str, Any],
    *,
    hint: str,
    timeout: float = TIMEOUT,
    progress: Progress = silent,
) -> bytes:
    """Convert with resource variables, and TensorFlow operators allowed unless told otherwise.

    A representative dataset is run through here, and its samples handed to the child. Operators
    of libraries that this process has loaded (tf.load_op_library) are unknown to the child; a
    SavedModel with such ones is converted in this process, where the converter's death is its own.

    Args:
        options: attributes of tf.lite.TFLiteConverter.
        hint: what to try if it cannot be converted.
        timeout: seconds that the conversion may take.
        progress: told (step, 0, 0) as the child goes on.

    Raises:
        UserError: the converter has no such option, or one that cannot be pickled; the
            representative dataset fails.
        UnsupportedError: the converter refuses the model, dies of it or takes too long.
    """
    with workspace() as job:
        _write(job, folder, signatures, options)
        with _followed(job / convert_worker.STEP, progress):
            ending = run_script(WORKER, [str(job)], job / "log", timeout, "the converter")
        if (job / convert_worker.RESULT).exists():
            return (job / convert_worker.RESULT).read_bytes()
        if (job / convert_worker.ERROR).exists():
            error = json.loads((job / convert_worker.ERROR).read_text(encoding="utf-8"))
            if not _known_here(error["text"]):
                raise _refusal(error["kind"], error["text"], hint)
        else:
            ending = ending or "the converter wrote nothing"
            raise UnsupportedError(
                f"TensorFlow cannot convert the model: {ending}", hint=hint, detail=_log(job)
            )
    try:
        return convert_worker.convert(str(folder), signatures, options)
    except Exception as error:
        raise _refusal(type(error).__name__, str(error), hint) from error


@contextmanager
def _followed(step: Path, progress: Progress) -> Iterator[None]:
    """Hand on each line that the child writes into the file ``step``, now and then."""
    ended = Event()

    def follow() -> None:
        told, last = 0, False
        while not last:
            last = ended.wait(_OFTEN)
            text = step.read_text(encoding="utf-8") if step.exists() else ""
            whole = text[: text.rfind("\n") + 1].splitlines()
            for line in whole[told:]:
                progress(line, 0, 0)
            told = len(whole)

    progress("starting TensorFlow's converter", 0, 0)
    thread = Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write(job: Path, folder: Path, signatures: Sequence[str], options: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in options.items() if name != _DATASET}
    for name, value in plain.items():
        try:
            pickle.dumps(value)
        except Exception as error:  # pickling runs the value's own code
            raise UserError(
                f"option {name!r} cannot be handed to the process that converts: {error}"
            ) from error
    dataset = options.get(_DATASET)
    if dataset is not None:
        with (job / convert_worker.SAMPLES).open("wb") as stream:
            try:
                for sample in getattr(dataset, "input_gen", dataset)():
                    pickle.dump(sample, stream)
            except Exception as error:  # the user's code runs here
                text = f"{type(error).__name__}: {first_lines(error)}"
                raise UserError(f"the representative dataset fails: {text}") from error
    row = {"saved_model": str(folder.absolute()), "signatures": list(signatures), "options": plain}
    (job / convert_worker.JOB).write_bytes(pickle.dumps(row))


def _log(job: Path) -> str:
    """The end of what the child printed."""
    with (job / "log").open("rb") as stream:
        stream.seek(max(stream.seek(0, 2) - _LONGEST_LOG, 0))
        return stream.read().decode(errors="replace")


def _known_here(text: str) -> bool:
    """Whether the child lacked an operator that this process has."""
    from tensorflow.python.framework import op_def_registry

    found = re.search(r"Op type not registered '(\w+)'", text)
    return found is not None and op_def_registry.get(found[1]) is not None


class LeftoverError(UnsupportedError):
    """The converter has neither a builtin nor a Flex form for ``operators``.

    Attributes:
        operators: name -> the types of its first input, as far as the converter tells.
    """

    def __init__(self, operators: Mapping[str, frozenset[str]], hint: str, detail: str) -> None:
        super().__init__(
            "TensorFlow cannot convert the model: these operators have neither a builtin of their "
            f"types nor a Flex form: {', '.join(operators)}",
            hint=hint,
            detail=detail,
        )
        self.operators = dict(operators)


def _refusal(kind: str, text: str, hint: str) -> TflRepairError:
    if kind == convert_worker.NoOption.__name__:
        return UserError(f"tf.lite.TFLiteConverter has no option {text!r}")
    left = sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", text)))
    if left:
        types = _types(text)
        return LeftoverError({name: frozenset(types.get(name, ())) for name in left}, hint, text)
    return UnsupportedError(
        f"TensorFlow cannot convert the model: {_first_sentence(text) or kind}",
        hint=hint,
        detail=text,
    )


_NAMES = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "i1": "bool",
          "complex<f32": "complex64", "complex<f64": "complex128"}  # fmt: skip


_SHOWN = re.compile(r'see current operation: [^\n]*?"tf\.(\w+)"\([^\n]*?: \(tensor<([^>]*)')


def _types(text: str) -> dict[str, set[str]]:
    """Of the first input of each operator that the converter shows."""
    found: dict[str, set[str]] = {}
    for operator, row in _SHOWN.findall(text):
        name = re.sub(r"^(?:\*x)?(?:[\d?]+x)*", "", row)
        name = re.sub(r"^(u?)i(\d+)$", r"\1int\2", _NAMES.get(name, name))
        found.setdefault(operator, set()).add(name)
    return found


def _first_sentence(text: str) -> str:
    """What the converter says first, without its places in the graph, which go on for pages."""
    found = re.search(r"error: (?:loc\(.*\): )?(?:error: )?'tfl?\.(\w+)' op (.*)", text)
    if found:
        return f"{found[1]}: {_sentence(found[2])}"
    plain = re.sub(r"(?:\w[\w ]+\.)?<unknown>:0: (?:error: )?|\bloc\(.*\): ", "", first_lines(text))
    return _sentence(plain)


def _sentence(text: str) -> str:
    return re.split(r"(?<=[.!?]) (?=[A-Z])|\n", text.strip(), maxsplit=1)[0].rstrip(".")[:300]


def first_lines(error: object) -> str:
    """The first three lines of an error's text: TensorFlow's go on for pages."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:600]
