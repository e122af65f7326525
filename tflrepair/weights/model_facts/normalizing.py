"""Which variables are used as Keras's own normalization layers use theirs.

A layer of somebody's own may call its weights gamma and beta, too, and make them in another order.
Keras multiplies gamma with the inverse deviation (keras/src/layers/normalization) before it meets
data, or calls ``tf.nn.batch_normalization``, which works in the scope ``batchnorm``.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.format import schema
from tflrepair.graph.model import Model
from tflrepair.graph.options import var_handle
from tflrepair.graph.subgraph import Subgraph

_CODE = schema.BuiltinOperator
_SHAPING = frozenset({_CODE.RESHAPE, _CODE.CAST, _CODE.BROADCAST_TO, _CODE.EXPAND_DIMS})


def normalizing(model: Model) -> frozenset[str]:
    """Shared names of these variables, in any subgraph.

    Raises:
        BadFileError: the model is damaged.
    """
    return frozenset(name for graph in model.subgraphs for name in _found(graph))


def _found(graph: Subgraph) -> Iterator[str]:
    values: dict[int, str] = {}  # tensors that are a variable's value, reshaped at most
    inverse: set[int] = set()  # what RSQRT makes
    for op in graph.operators:
        if op.code == _CODE.VAR_HANDLE:
            values.update(dict.fromkeys(op.outputs, var_handle(op)[1]))
            continue
        taken = [values[t] for t in op.inputs if values.get(t)]
        if op.code == _CODE.RSQRT:
            inverse.update(op.outputs)
        elif op.code == _CODE.READ_VARIABLE or op.code in _SHAPING:
            for name in taken[:1]:
                values.update(dict.fromkeys(op.outputs, name))
            if op.code in _SHAPING and not inverse.isdisjoint(op.inputs):
                inverse.update(op.outputs)
            continue
        if taken:
            scoped = any("/batchnorm/" in graph.tensor_name(t) for t in op.outputs if t >= 0)
            scales = op.code == _CODE.MUL and not inverse.isdisjoint(op.inputs)
            yield from taken if scoped or scales else ()
