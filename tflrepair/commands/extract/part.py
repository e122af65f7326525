"""A smaller model: one signature, or what some tensors need."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.errors import TflRepairError, UserError
from tflrepair.files import atomic, check_no_input
from tflrepair.graph.model import Model, Signature, Source, load
from tflrepair.notebook import Presentable
from tflrepair.parts.build import Part, Ports, build, check_part
from tflrepair.parts.slice import Slicer
from tflrepair.views.tensors import SubgraphView
from tflrepair.wording import plural


@dataclass(frozen=True, repr=False)
class ExtractedPart(Presentable):
    """A part that was written. ``ports`` names its inputs and outputs by the whole's tensors."""

    part: Part
    ports: Ports
    path: str

    def headline(self) -> str:
        mine, whole = self.operators
        return f"{self.path}: {mine} of {plural(whole, 'operator')}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each input and output."""
        return [
            {"side": side, "name": name, "tensor": tensor}
            for side, ports in (("input", self.ports.inputs), ("output", self.ports.outputs))
            for name, tensor in ports
        ]

    @property
    def operators(self) -> tuple[int, int]:
        """(operators of the part, of the whole)"""
        whole = sum(subgraph.operator_count for subgraph in self.part.model.subgraphs)
        return sum(len(rows) for rows in self.part.kept.operators.values()), whole

    @property
    def beside(self) -> tuple[str, ...]:
        """Files with weights of the part, which must lie beside it as beside the whole."""
        model = self.part.model
        if not model.external_buffers:
            return ()
        found = set()
        for number, kept in self.part.kept.operators.items():
            view = SubgraphView(model, number)
            operators = map(view.subgraph.operator, kept)
            inputs = {t for operator in operators for t in operator.inputs if t >= 0}
            rows = (model.external_buffers.get(view.tensor(t).external) for t in inputs)
            found |= {row.name for row in rows if row is not None}
        return tuple(sorted(found))


def extract_part(
    model: AnalysisContext | Source,
    out: str | os.PathLike[str],
    *,
    signature: str | None = None,
    outputs: Sequence[str] = (),
    force: bool = False,
) -> ExtractedPart:
    """Write a model that holds only what ``signature`` or the tensors ``outputs`` need.

    Args:
        signature: keep this one; with ``outputs``: look for the tensors there.
        outputs: names of tensors, or ``#`` and an index, that the part must compute.

    Raises:
        UserError: no such signature or tensor, a tensor that is not computed, or ``out`` exists.
        UnsupportedError: a table that must be copied has a field newer than our schema.
        BadFileError: the model is damaged.
    """
    path = Path(out)
    if path.suffix != ".tflite":
        raise UserError(f"{path.name!r} is not a name for a model", hint="end it in .tflite")
    context = context_of(model)
    whole = context.model
    whole.walk()
    try:
        part, ports = _plan(whole, signature, tuple(outputs))
    except TflRepairError as error:
        raise context.named(error) from None
    check_no_input(path, [whole.path] if whole.path else [])
    with atomic(path, force) as output:
        draft = output.begin()
        part.write(draft.stream)
        draft.stream.flush()
        check_part(part, load(draft.path))
    return ExtractedPart(part, ports, str(path))


def _plan(model: Model, key: str | None, names: tuple[str, ...]) -> tuple[Part, Ports]:
    slicer = Slicer(model)
    signature = _signature(model, key)
    if not names:
        if signature is None:
            raise UserError(
                "no part of the model is named", hint="give --signature NAME or --outputs TENSOR"
            )
        graph = model.subgraph(signature.subgraph)
        kept = slicer.whole(signature.subgraph, graph.inputs, graph.outputs)
        ports = Ports(signature.key, signature.inputs, signature.outputs)
        return build(model, kept, ports), ports
    entries = (
        [signature.subgraph]
        if signature
        else list(dict.fromkeys([*(s.subgraph for s in model.signatures), 0]))
    )
    places = [_find(slicer.views, entries, name) for name in names]
    entry = places[0][0]
    if any(subgraph != entry for subgraph, _ in places):
        raise UserError(
            "the tensors are in different signatures", hint="choose one with --signature NAME"
        )
    kept = slicer.back_from(entry, tuple(dict.fromkeys(tensor for _, tensor in places)))
    signature = signature or next((s for s in model.signatures if s.subgraph == entry), None)
    if signature is None:
        ports = Ports(None, _named(model, entry, kept.inputs), _named(model, entry, kept.outputs))
    else:
        known = {tensor: name for name, tensor in signature.outputs}
        ports = Ports(
            signature.key,
            tuple(pair for pair in signature.inputs if pair[1] in kept.inputs),
            tuple(
                (known.get(tensor, name), tensor)
                for name, tensor in _named(model, entry, kept.outputs)
            ),
        )
    return build(model, kept, ports), ports


def _named(model: Model, subgraph: int, tensors: Sequence[int]) -> tuple[tuple[str, int], ...]:
    graph = model.subgraph(subgraph)
    return tuple((graph.tensor(t).name or f"tensor_{t}", t) for t in tensors)


def _signature(model: Model, key: str | None) -> Signature | None:
    if key is None:
        return None
    found = next((s for s in model.signatures if s.key == key), None)
    if found is None:
        keys = ", ".join(s.key for s in model.signatures)
        raise UserError(
            f"the model has no signature {key!r}",
            hint=f"it has {keys}" if keys else "it has no signatures; use --outputs",
        )
    return found


def _find(views: Sequence[SubgraphView], entries: Sequence[int], name: str) -> tuple[int, int]:
    """(subgraph, tensor) of the one tensor of this name in ``entries``."""
    found = []
    for entry in entries:
        view = views[entry]
        if name.startswith("#") and name[1:].isdecimal():
            if int(name[1:]) < view.subgraph.tensor_count:
                found.append((entry, int(name[1:])))
        else:
            found += [
                (entry, n)
                for n in range(view.subgraph.tensor_count)
                if view.subgraph.tensor(n).name == name
            ]
    if len(found) > 1:  # a constant may be called like the operator that takes it
        computed = [(s, t) for s, t in found if t in views[s].makers]
        found = computed or found
    if not found:
        command = f"tflrepair show MODEL --tensor {shlex.quote(name)}"
        raise UserError(
            f"no tensor of the chosen signatures is called {name!r}",
            hint=f"`{command}` looks for names that contain it",
        )
    if len(found) > 1:
        listed = ", ".join(f"#{t} of subgraph {s}" for s, t in found[:6])
        raise UserError(
            f"{len(found)} tensors are called {name!r}: {listed}",
            hint="name one as #INDEX, and its signature with --signature",
        )
    return found[0]
