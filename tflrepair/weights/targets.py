"""The variables of a model as targets for matching."""

from __future__ import annotations

from collections.abc import Sequence

from tflrepair.model import Model
from tflrepair.variables import Variable
from tflrepair.weights.base import Target
from tflrepair.weights.dataflow import flow_of


def targets_of(model: Model, variables: Sequence[Variable]) -> tuple[Target, ...]:
    """A target for each variable, with what the graph tells of their order."""
    names = [(v.key.container, v.key.shared_name) for v in variables]
    flows = flow_of(model, names)
    return tuple(
        Target(v.key.container, v.key.shared_name, v.dtype or "", v.shape, rank, upstream)
        for v, (rank, upstream) in zip(variables, flows, strict=True)
    )
