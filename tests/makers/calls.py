"""A module with what eager TensorFlow answers to a row of calls, for files that keep state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from makers.common import convert

Call = tuple[str, dict[str, Any]]


class Holder(tf.Module):
    """Tracks whatever it is given, and has the functions that become signatures."""

    def __init__(self, **parts: Any) -> None:
        super().__init__()
        self.functions: dict[str, Any] = {}
        for name, part in parts.items():
            setattr(self, name, part)

    def add(self, name: str, function: Callable[..., Any], **shapes: Sequence[int]) -> None:
        """A signature that takes float32 inputs of these shapes, by name."""
        specs = [tf.TensorSpec(shape, tf.float32, name=key) for key, shape in shapes.items()]
        self.functions[name] = tf.function(function, input_signature=specs)


def keep(module: Holder, out: Path, calls: Sequence[Call], flex: bool = False) -> None:
    """saved_model/, model.tflite (broken), and calls.npz: inputs and eager answers in order."""
    out.mkdir(exist_ok=True)
    functions = {name: f.get_concrete_function() for name, f in module.functions.items()}
    tf.saved_model.save(module, str(out / "saved_model"), signatures=functions)
    (out / "model.tflite").write_bytes(convert(out / "saved_model", flex))
    arrays: dict[str, Any] = {}
    for number, (name, inputs) in enumerate(calls):
        answers = module.functions[name](**{k: tf.constant(v) for k, v in inputs.items()})
        arrays |= {f"{number}:{name}:in:{k}": v for k, v in inputs.items()}
        arrays |= {f"{number}:{name}:out:{k}": np.asarray(v) for k, v in answers.items()}
    np.savez(out / "calls.npz", **arrays)
