"""What to type next where the weights leave something open, with this model's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflrepair.analysis.context import AnalysisContext
from tflrepair.execution.entries import RunTarget, RunTensor, run_targets
from tflrepair.format import schema

if TYPE_CHECKING:
    from tflrepair.weights import MatchTable


def advice(context: AnalysisContext, table: MatchTable) -> tuple[str, ...]:
    """Lines to print after the open questions; () where running decides none of them.

    Three of them are Python, to be run beside the Keras model: they write the two files that
    ``--check`` takes. ``model`` stands there for the tf.Module that was converted.

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
    given = f"{{f'{name}/{{k}}': v for k, v in x.items()}}"
    wanted = f"{{f'{name}/{{k}}': np.asarray(v) for k, v in model.{name}(**x).items()}}"
    shapes = "; ".join(port.text for port in target.inputs)
    return (
        "where the Python model is, these lines write what --check takes; `model` is the module",
        f"that has `{name}` ({shapes}), and inputs from practice tell more than random ones:",
        f"    import numpy as np; x = {{{made}}}",
        f"    np.savez('in.npz', **{given})",
        f"    np.savez('out.npz', **{wanted})",
        "then add: --check in.npz out.npz",
        "or add --map-out map.json, which writes what each variable can be, to choose by hand",
    )


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
    if "float" in port.tensor.dtype:
        return f"np.random.rand({shape}).astype('{port.tensor.dtype}')"
    return f"np.random.randint(0, 2, ({shape},)).astype('{port.tensor.dtype}')"
