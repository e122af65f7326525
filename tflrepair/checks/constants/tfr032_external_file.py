"""Weights that lie in a file beside the model cannot be read there.

What: tensors whose values are in another file (Tensor.external_buffer, Model.external_buffers), and
that file is missing, too short, no regular file, or outside the folder of the model.

Why it matters: the model is only half of what has to be shipped, and it does not run alone.

On each runtime:

    LiteRT, CompiledModel   not loaded: `Failed to open`, or `External weight slice out of range`
                            (weight_loader/external_weight_loader_litert.cc)
    LiteRT, Interpreter     never reads such files: `Input tensor 1 lacks data`, with the file, too
    tf.lite                 like LiteRT's Interpreter
    TFLM                    knows no such field: reads nothing

Example: a large language model was moved to another folder without its `.weights` file.

How it is fixed: put the file beside the model, under the name that the model gives it. If it is
lost, convert again. A model that is given as bytes or inside an archive is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tflrepair.analysis.context import AnalysisContext
from tflrepair.checks.base import Found, Needs, check
from tflrepair.errors import TflRepairError
from tflrepair.findings import Location, Severity
from tflrepair.graph.model import Model
from tflrepair.views.external import external_source, has_folder
from tflrepair.wording import grouped

_MOST = 1000  # files; each costs some 50 us to look at, and a model that is real names a few


@check("TFR032", Severity.ERROR, Needs.TABLES)
def external_file(context: AnalysisContext) -> Iterator[Found]:
    model = context.model
    if not model.external_buffers or not has_folder(model):
        return
    files: dict[str, tuple[int, int]] = {}  # by name: where the last buffer ends, and its id
    used = _used(model)
    for number, row in model.external_buffers.items():
        if number in used:
            end = row.offset + row.length
            files[row.name] = max(files.get(row.name, (0, number)), (end, number))
    for _, number in islice(files.values(), _MOST):
        try:
            external_source(model, number)
        except TflRepairError as error:
            hint = error.hint or "fetch that file again, or convert the model again"
            yield Found(f"a tensor has no values: {error.message}", hint, used[number])
    if len(files) > _MOST:
        yield Found(
            f"the model names {grouped(len(files))} files beside it; only the first "
            f"{grouped(_MOST)} were looked at",
            "convert it again with its weights in one file",
        )


def _used(model: Model) -> dict[int, Location]:
    """The first tensor of each external buffer that some tensor names."""
    from tflrepair.views.tensors import SubgraphView

    found: dict[int, Location] = {}
    for subgraph in model.subgraphs:
        view = SubgraphView(model, subgraph.index)
        for index in range(subgraph.tensor_count):
            tensor = view.tensor(index)
            if tensor.external and not tensor.stored:
                place = Location(subgraph=subgraph.index, tensor=index)
                found.setdefault(tensor.external, place)
    return found
