"""The good conversion: the SavedModel loaded and saved again, so that its variables have values.

Run as a script it converts; ``resaved`` gives the cached result.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import warm

TESTS = Path(__file__).resolve().parent.parent


def resaved(folder: Path, flex: bool) -> Path:
    """``folder/resaved.tflite``, made from ``folder/saved_model`` by TensorFlow if missing."""
    target = folder / "resaved.tflite"
    if not target.exists():
        part = target.with_suffix(".part")
        arguments = [str(folder / "saved_model"), str(part), str(int(flex))]
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        env = {**os.environ, "PYTHONPATH": str(TESTS), **quiet}
        log = target.with_suffix(".log")
        code = warm.run_script(Path(__file__), arguments, env, log)
        assert not code, log.read_text(errors="replace")[-3000:]
        log.unlink()
        part.rename(target)
    return target


def main(saved_model: str, target: str, flex: str) -> None:
    import tensorflow as tf
    from makers.common import convert

    loaded = tf.saved_model.load(saved_model)
    with tempfile.TemporaryDirectory() as again:
        tf.saved_model.save(loaded, again, signatures=dict(loaded.signatures))
        Path(target).write_bytes(convert(Path(again), flex=flex == "1"))


if __name__ == "__main__":
    main(*sys.argv[1:])
