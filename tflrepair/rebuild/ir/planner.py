"""From a Model to a Plan: subgraphs become functions, operators become steps."""

from __future__ import annotations

from tflrepair.analysis.context import AnalysisContext, context_of
from tflrepair.analysis.resources import ResourceId
from tflrepair.errors import BadFileError, UnsupportedError
from tflrepair.graph.model import Model, Signature
from tflrepair.rebuild.ir.coverage import refuse_uncovered
from tflrepair.rebuild.ir.steps import Function, FunctionId, Handle, Plan, SignatureFunction
from tflrepair.rebuild.ir.walk import Walk
from tflrepair.wording import plural

# A subgraph is planned once for each set of handles that it is called with.
_MOST_FUNCTIONS = 10_000


def make_plan(source: AnalysisContext | Model) -> Plan:
    """Plan every signature; a model without signatures gets ``serving_default``, its subgraph 0.

    Raises:
        BadFileError: the model is damaged.
        UnsupportedError: it has operators, options or types that are not covered.
    """
    context = context_of(source)
    _ = context.analysis  # refuses subgraphs that call each other in a circle
    refuse_uncovered(context.model)
    return _Planner(context).plan()


class _Planner:
    def __init__(self, context: AnalysisContext) -> None:
        self.context = context
        self.model = context.model
        self.functions: dict[FunctionId, Function] = {}
        self.returned: dict[FunctionId, tuple[ResourceId | None, ...]] = {}
        self.initializers: dict[FunctionId, None] = {}
        self.states: dict[ResourceId, tuple[str, tuple[int, ...]]] = {}
        self.tables: dict[ResourceId, tuple[str, str]] = {}

    def plan(self) -> Plan:
        signatures = self.model.signatures or (_unsigned(self.model),)
        entries = tuple(self.entry(signature) for signature in signatures)
        return Plan(
            self.context,
            entries,
            self.functions,
            tuple(self.initializers),
            self.states,
            self.tables,
        )

    def entry(self, signature: Signature) -> SignatureFunction:
        subgraph = self.model.subgraph(signature.subgraph)
        inputs = tuple(tensor for _, tensor in signature.inputs)
        if sorted(inputs) != sorted(subgraph.inputs):
            raise BadFileError(
                f"signature {signature.key} does not name each input of its subgraph once",
                where=f"subgraph {subgraph.index}",
            )
        walk = Walk(self, subgraph, {})
        outputs = tuple(walk.argument(tensor) for _, tensor in signature.outputs)
        function = Function((subgraph.index, ()), inputs, tuple(walk.steps), outputs)
        if any(isinstance(output, Handle) for output in outputs):
            raise UnsupportedError(f"signature {signature.key} returns a resource")
        return SignatureFunction(
            signature.key,
            function,
            tuple(name for name, _ in signature.inputs),
            tuple(name for name, _ in signature.outputs),
        )

    def function(self, index: int, handles: tuple[ResourceId | None, ...]) -> FunctionId:
        """Plan subgraph ``index`` called with ``handles``, unless it is planned already."""
        identity = (index, handles)
        if identity in self.functions:
            return identity
        if len(self.functions) >= _MOST_FUNCTIONS:
            raise UnsupportedError("subgraphs are called with too many different resources")
        subgraph = self.model.subgraph(index)
        if len(handles) != len(subgraph.inputs):
            raise BadFileError(
                f"subgraph {index} takes {plural(len(subgraph.inputs), 'input')}, but is "
                f"given {len(handles)}"
            )
        given = {t: key for t, key in zip(subgraph.inputs, handles, strict=True) if key}
        walk = Walk(self, subgraph, given)
        inputs = tuple(t for t in subgraph.inputs if t not in given)
        results = tuple(walk.argument(tensor) for tensor in subgraph.outputs)
        outputs = tuple(result for result in results if not isinstance(result, Handle))
        self.functions[identity] = Function(identity, inputs, tuple(walk.steps), outputs)
        self.returned[identity] = tuple(r.key if isinstance(r, Handle) else None for r in results)
        return identity


def _unsigned(model: Model) -> Signature:
    """Subgraph 0 as a signature with its tensors' names."""
    subgraph = model.subgraph(0)
    names = [
        tuple((subgraph.tensor(t).name or f"tensor_{t}", t) for t in tensors)
        for tensors in (subgraph.inputs, subgraph.outputs)
    ]
    return Signature("serving_default", 0, names[0], names[1])
