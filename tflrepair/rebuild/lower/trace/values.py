"""The values of a subgraph while it is traced: tensors, known arrays, partly known sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tflrepair.rebuild.ir.steps import Argument, Compute, ConstantValue, Handle, Local
from tflrepair.rebuild.ir.tensor_facts import constant
from tflrepair.rebuild.lower.trace import probes
from tflrepair.rebuild.lower.trace.origins import batch_of
from tflrepair.rebuild.lower.trace.probes import ARITHMETIC, Probed
from tflrepair.rebuild.lower.trace.state import LoweringState
from tflrepair.rebuild.run.trace import Frame, dequantized

SMALL = 4096  # elements up to which a known value is carried along
_NEVER_FOLDED = ("RANDOM", "MULTINOMIAL", "BERNOULLI", "Random", "Rng", "TensorList", "Multinomial")


class ValueFrame(Frame):
    """A frame whose values are known as far as they can be."""

    tracer: LoweringState

    def kept(self, argument: Argument) -> Any:
        known = self.known(argument)
        if known is not None:
            return known
        if isinstance(argument, Local) and argument.quantization is None:
            return self.values[argument.tensor]
        return self.value(argument)

    def value(self, argument: Argument) -> Any:
        import tensorflow as tf

        if isinstance(argument, Local):
            value = self.values[argument.tensor]
            if isinstance(value, np.ndarray):
                return dequantized(tf.constant(value), argument.quantization)
            if isinstance(value, Probed):
                return value.packed()
        if isinstance(argument, ConstantValue):
            tensor = self.tracer.constant(self, argument.tensor)
            return dequantized(tensor, argument.quantization)
        return super().value(argument)

    def known(self, argument: Argument) -> np.ndarray[Any, Any] | None:
        """The value of a small argument that does not hang on any input."""
        if isinstance(argument, Local) and argument.quantization is None:
            value = self.values[argument.tensor]
            return value if isinstance(value, np.ndarray) else None
        if isinstance(argument, ConstantValue) and argument.quantization is None:
            row = self.subgraph.tensor(argument.tensor)
            if row.dtype == "string" or int(np.prod(row.shape)) > SMALL:
                return None
            return constant(self.tracer.plan.model, row)
        return None

    def store(self, tensor: int, value: Any) -> None:
        """Keep a result; where TensorFlow knows it already, as an array."""
        import tensorflow as tf

        if tf.is_tensor(value) and (value.dtype.is_integer or value.dtype.is_bool):
            sizes = value.shape.num_elements()
            if sizes is not None and sizes <= SMALL:
                static = tf.get_static_value(value)
                if static is not None:
                    value = np.asarray(static)
        self.values[tensor] = value

    def folded(self, name: str, run: Any, arguments: Sequence[Argument]) -> list[Any] | None:
        """The results of ``run`` on known arguments as arrays; None if they are not all known."""
        import tensorflow as tf

        if any(word in name for word in _NEVER_FOLDED):
            return None
        values = []
        for argument in arguments:
            value = None if argument is None else self.known(argument)
            if argument is not None and value is None:
                return None
            values.append(value)
        with tf.init_scope():
            tensors = [None if value is None else tf.constant(value) for value in values]
            try:
                results = tf.nest.flatten(run(tensors))
            except Exception:  # what fails now may never run
                return None
        if not all(
            tf.is_tensor(r) and hasattr(r, "numpy") and r.shape.num_elements() <= SMALL
            for r in results
        ):
            return None
        if any(r.dtype == tf.string for r in results):
            return None
        return [np.asarray(r.numpy()) for r in results]

    def trials(self, argument: Argument) -> np.ndarray[Any, Any] | None:
        """[TRIALS, *shape] of a small argument that hangs on nothing but open sizes."""
        if isinstance(argument, Local) and isinstance(self.values[argument.tensor], Probed):
            trials: np.ndarray[Any, Any] = self.values[argument.tensor].trials
            return trials
        known = self.known(argument)
        if known is None or known.dtype.kind not in "iub":
            return None
        return np.broadcast_to(known, (probes.TRIALS, *known.shape))

    def probed(self, name: str, run: Any, arguments: Sequence[Argument]) -> list[Any] | None:
        """[TRIALS, *shape] of each result of arithmetic on sizes; None if it is something else."""
        if name not in ARITHMETIC:
            return None
        trials = [None if argument is None else self.trials(argument) for argument in arguments]
        if any(t is None and a is not None for t, a in zip(trials, arguments, strict=True)):
            return None
        return probes.run(run, trials)

    def keep_probed(self, outputs: Sequence[int], found: Sequence[Any] | None) -> None:
        """Add what the trials tell to the results that are kept already."""
        import tensorflow as tf

        for tensor, trials in zip(outputs, found or (), strict=False):
            value = self.values[tensor]
            if not tf.is_tensor(value):
                continue
            row = Probed(value, trials.astype(value.dtype.as_numpy_dtype))
            self.values[tensor] = row.trials[0] if row.fixed.all() else row

    def sizes(self, step: Compute) -> list[Any] | None:
        """[TRIALS, rank] of the only result of SHAPE."""
        x: Any = self.value(step.arguments[0])
        if x.shape.rank is None:
            return None
        columns = []
        for axis, size in enumerate(x.shape):
            origin = self.origin(x) if axis == 0 else x
            fixed = np.full(probes.TRIALS, size or 0)
            columns.append(self.tracer.symbols.sizes(origin, axis) if size is None else fixed)
        return [np.stack(columns, -1)] if columns else None

    def origin(self, x: Any) -> Any:
        """The tensor that the open first size of ``x`` comes from."""
        return self.tracer.origins.get(id(x), (x, x))[1]

    def trace_batch(self, name: str, arguments: Sequence[Argument], output: int) -> None:
        """Note where the first size of the result comes from."""
        import tensorflow as tf

        result: Any = self.values.get(output)
        if not tf.is_tensor(result) or not result.shape.rank or result.shape[0] is not None:
            return
        flat = [a for a in arguments if a is not None]
        if not flat or any(isinstance(a, Handle) for a in flat):
            return
        inputs: list[Any] = [self.value(argument) for argument in flat]
        if not all(map(tf.is_tensor, inputs)):
            return
        found = batch_of(name, inputs, [self.origin(x) for x in inputs], result.shape.rank)
        if found is not None:
            self.tracer.origins[id(result)] = (result, found)
