"""What to type next where the weights leave something open, with this model's own names."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING

from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.entries import RunTarget, RunTensor, run_targets
from tflrepair.format import schema
from tflrepair.views.quantized import scale_of, spread

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable

_DEFAULT = "serving_default"  # what TensorFlow calls a signature that was given no name


def advice(context: AnalysisContext, table: MatchTable) -> tuple[str, ...]:
    """Lines to print after the open questions; () where running decides none of them.

    Some of them are Python, to be run beside the Keras model: they write the two files that
    ``--check`` takes. ``model`` stands there for the tf.Module that was converted; or, where the
    signature is no method's name, for the SavedModel. Answers may be a dict, a sequence or one
    array: TensorFlow calls what has no name ``output_0``, ``output_1`` and so on.

    Raises:
        BadFileError: the model is damaged.
    """
    if not any(problem.choices for problem in table.problems):
        return ()
    target = _inferring(context)
    if target is None:
        return ()
    name = target.signature or ""
    made = ", ".join(f"{port.name!r}: {_random(port)}" for port in target.inputs)
    names = [port.name for port in target.outputs]
    given = f"{{{name + '/'!r} + k: v for k, v in x.items()}}"
    wanted = f"{{{name + '/'!r} + k: np.asarray(y[k]) for k in {names}}}"
    shapes = "; ".join(port.text for port in target.inputs)
    what, more, call = _call(name)
    floats = any(scale_of(port.tensor) for port in target.inputs)
    return (
        f"where the Python model is, these lines write what --check takes; `model` is {what} "
        f"that has `{name}` ({shapes}), and real inputs tell more than random ones"
        + ("; floats are quantized as the model says:" if floats else ":"),
        f"    import numpy as np{more}",
        f"    x = {{{made}}}",
        f"    y = {call}",
        "    y = y if isinstance(y, (dict, list, tuple)) else [y]",
        f"    y = y if isinstance(y, dict) else dict(zip({names}, y))",
        f"    np.savez('in.npz', **{given})",
        f"    np.savez('out.npz', **{wanted})",
        "then add: --check in.npz out.npz",
        "or add --map-out map.json, which lists what each variable can be, to choose by hand",
    )


def _call(name: str) -> tuple[str, str, str]:
    """(what ``model`` is, what else to import, the call of the signature)."""
    if name.isidentifier() and not iskeyword(name) and name != _DEFAULT:
        return "the module", "", f"model.{name}(**x)"
    tensors = "**{k: tf.constant(v) for k, v in x.items()}"
    what = "tf.saved_model.load(DIR), of the folder"
    return what, ", tensorflow as tf", f"model.signatures[{name!r}]({tensors})"


def _inferring(context: AnalysisContext) -> RunTarget | None:
    """The signature that computes most and sets no variable."""
    found = []
    for target in run_targets(context):
        graph = context.model.subgraph(target.subgraph)
        sets = any(op.code == schema.BuiltinOperator.ASSIGN_VARIABLE for op in graph.operators)
        if target.signature and target.inputs and not sets and not target.flex:
            found.append((graph.operator_count, target))
    return max(found, key=lambda row: row[0])[1] if found else None


def _random(port: RunTensor) -> str:
    shape = ", ".join("1" if n < 0 else str(n) for n in port.tensor.shape)
    if ends := spread(port.tensor):
        low, high = ends
        return f"np.random.uniform({low:.4g}, {high:.4g}, ({shape},)).astype('float32')"
    if "float" in port.tensor.dtype:
        return f"np.random.rand({shape}).astype('{port.tensor.dtype}')"
    return f"np.random.randint(0, 2, ({shape},)).astype('{port.tensor.dtype}')"
