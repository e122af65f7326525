"""``tflrepair show``."""

from __future__ import annotations

from typing import Any, TypedDict

from tflrepair.report.contract.parts import Real


class ParametersItem(TypedDict):
    """Elements of constants that are weights, and of variables."""

    constants: int
    variables: int


class BytesItem(TypedDict):
    """What the bytes of the file are for."""

    constants: int
    metadata: int
    unreferenced: int
    structure: int


class BufferItem(TypedDict):
    """A buffer that nothing refers to."""

    index: int
    bytes: int


class MetadataItem(TypedDict):
    """An entry of the metadata; ``problem`` says why it could not be decoded."""

    name: str
    bytes: int
    value: Any
    problem: str | None


class FileItem(TypedDict):
    """A file in the archive behind the model."""

    name: str
    size: int


class KindItem(TypedDict):
    """A kind of operator, and the bytes of the constants that it takes."""

    name: str
    count: int
    constant_bytes: int


class NamedTensorItem(TypedDict):
    """A signature's name for a tensor."""

    name: str
    tensor: int


class ShowSignature(TypedDict):
    """A signature."""

    key: str
    subgraph: int
    inputs: list[NamedTensorItem]
    outputs: list[NamedTensorItem]


class ShowSubgraph(TypedDict):
    """A subgraph; inputs and outputs are tensor indices."""

    index: int
    name: str
    tensors: int
    operators: int
    inputs: list[int]
    outputs: list[int]


class OperatorItem(TypedDict):
    """An operator with its decoded options."""

    subgraph: int
    index: int
    name: str
    custom: bool
    inputs: list[int]
    outputs: list[int]
    options_type: str | None
    options: Any


class StatsItem(TypedDict):
    """Figures over all elements; ``zeros``, ``nan`` and ``inf`` are counts."""

    count: int
    min: Real
    max: Real
    mean: Real
    zeros: int
    nan: int
    inf: int
    sha256: str


class _Tensor(TypedDict):
    subgraph: int
    index: int
    name: str
    dtype: str
    shape: list[int]
    shape_signature: list[int] | None
    role: str
    is_output: bool
    buffer: int
    bytes: int
    maker: int | None
    takers: list[int]
    quantization: dict[str, Any] | None
    sparsity: dict[str, Any] | None
    stats: StatsItem | None


class TensorItem(_Tensor, total=False):
    """A tensor. ``values`` with ``--values``; ``problem``: why a constant cannot be read."""

    values: Any
    problem: str


class InitialTensorItem(TypedDict):
    """The tensor that holds a variable's initial value."""

    subgraph: int
    tensor: int


class ShownVariableItem(TypedDict):
    """A resource variable."""

    name: str
    container: str
    kind: str
    dtype: str | None
    shape: list[int] | None
    status: str
    initial: InitialTensorItem | None


class ShowItem(TypedDict):
    """A model, opened for looking at."""

    ok: bool
    path: str | None
    size: int
    version: int
    description: str
    parameters: ParametersItem
    bytes: BytesItem
    unreferenced_buffers: list[BufferItem]
    metadata: list[MetadataItem]
    files: list[FileItem]
    operator_kinds: list[KindItem]
    signatures: list[ShowSignature]
    subgraphs: list[ShowSubgraph]
    operators: list[OperatorItem]
    tensors: list[TensorItem]
    variables: list[ShownVariableItem]
