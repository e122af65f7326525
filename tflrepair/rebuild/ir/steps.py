"""A model as functions of steps, each step ready to be run or written down.

Resource handles are gone: every read, assignment and look-up names its resource. A subgraph that
is called with different handles becomes one function for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model
from tflrepair.rebuild.ir.tensor_facts import Quantization
from tflrepair.rebuild.ops.registry import Builtin

FunctionId = tuple[int, tuple[ResourceId | None, ...]]


@dataclass(frozen=True)
class Local:
    """A tensor of the subgraph that is computed or fed; dequantized first where told."""

    tensor: int
    quantization: Quantization | None = None


@dataclass(frozen=True)
class ConstantValue:
    """A tensor of the subgraph whose value stands in the file."""

    tensor: int
    quantization: Quantization | None = None


@dataclass(frozen=True)
class Handle:
    """A resource that is passed to an operator as such."""

    key: ResourceId


Argument = Local | ConstantValue | Handle | None


@dataclass(frozen=True)
class Output:
    """Where a result goes; quantized to ``dtype`` first where told.

    Numbers from the subgraph's tensor count on are results that are no tensors of it: new states.
    """

    tensor: int
    dtype: str
    quantization: Quantization | None = None


@dataclass(frozen=True)
class Compute:
    """A builtin operator."""

    site: OperatorRef
    builtin: Builtin
    arguments: tuple[Argument, ...]
    options: Mapping[str, Any]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Raw:
    """A Flex operator, or a custom one that is TensorFlow's:
    ``tf.raw_ops.<name>(**arguments, **attributes)``."""

    site: OperatorRef
    name: str
    arguments: Mapping[str, Argument | tuple[Argument, ...]]
    attributes: Mapping[str, Any]
    outputs: tuple[int, ...]
    listed: bool  # it returns a list or tuple, even of one


@dataclass(frozen=True)
class Read:
    site: OperatorRef
    key: ResourceId
    output: int


@dataclass(frozen=True)
class Assign:
    site: OperatorRef
    key: ResourceId
    value: Argument


@dataclass(frozen=True)
class Import:
    """HASHTABLE_IMPORT; only initializers may have it."""

    site: OperatorRef
    key: ResourceId
    keys: Argument
    values: Argument


@dataclass(frozen=True)
class Find:
    site: OperatorRef
    key: ResourceId
    keys: Argument
    default: Argument
    output: int


@dataclass(frozen=True)
class Size:
    site: OperatorRef
    key: ResourceId
    output: int


@dataclass(frozen=True)
class CallStep:
    """CALL, and STABLEHLO_COMPOSITE through its decomposition."""

    site: OperatorRef
    function: FunctionId
    arguments: tuple[Argument, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class If:
    site: OperatorRef
    condition: Argument
    then: FunctionId
    otherwise: FunctionId
    arguments: tuple[Argument, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class While:
    """``shapes`` holds the loop variables' shapes in the body, -1 where they are open."""

    site: OperatorRef
    condition: FunctionId
    body: FunctionId
    arguments: tuple[Argument, ...]
    shapes: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]


Step = Compute | Raw | Read | Assign | Import | Find | Size | CallStep | If | While


@dataclass(frozen=True)
class Function:
    """A subgraph called with certain handles: ``inputs`` and ``outputs`` hold no resources."""

    id: FunctionId
    inputs: tuple[int, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Argument, ...]

    @property
    def subgraph(self) -> int:
        return self.id[0]


@dataclass(frozen=True)
class SignatureFunction:
    """A signature. Names are those of its SignatureDef, in its order."""

    key: str
    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All of a model that its signatures reach.

    Attributes:
        states: variable tensors of recurrent operators: dtype and shape. They start at zero.
        tables: (key dtype, value dtype) of each hash table.
        initializers: functions that CALL_ONCE runs, in order of first appearance.
    """

    context: AnalysisContext
    entries: tuple[SignatureFunction, ...]
    functions: Mapping[FunctionId, Function]
    initializers: tuple[FunctionId, ...]
    states: Mapping[ResourceId, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    tables: Mapping[ResourceId, tuple[str, str]] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        return self.context.model
