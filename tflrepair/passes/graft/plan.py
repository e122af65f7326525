"""What a repair will do, decided before a byte is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tflrepair.analysis.checkpoints import clashes
from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.resources import ResourceId
from tflrepair.analysis.status import VariableStatus
from tflrepair.analysis.variables import Analysis, Variable
from tflrepair.errors import RefusedError, UnsupportedError
from tflrepair.format.types import numpy_dtype
from tflrepair.graph.location import OperatorRef
from tflrepair.graph.model import Model

Bytes = bytes | memoryview


@dataclass(frozen=True)
class NewValue:
    """An initial value for one variable.

    ``pieces`` gives exactly ``nbytes`` little-endian bytes in row-major order, and is called once,
    when they are written. ``zero`` says that all of them are zero, so it need not be called.
    ``handle`` is the operator that makes the handle of a variable that lives in the Flex delegate;
    None for a builtin one.
    """

    key: ResourceId
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    origin: str
    pieces: Callable[[], Iterable[Bytes]] = field(repr=False, compare=False)
    zero: bool = False
    handle: OperatorRef | None = None


@dataclass(frozen=True)
class Rename:
    """New tensor names for the save or restore operator at ``site``."""

    site: OperatorRef
    names: tuple[str, ...]


@dataclass(frozen=True)
class Replacement:
    """A new value for a variable that has one: the ASSIGN_VARIABLEs of its initializers."""

    sites: tuple[OperatorRef, ...]
    value: NewValue


@dataclass(frozen=True)
class GraftPlan:
    """One new initializer subgraph with ``values``, called first at each of ``entries``.

    ``calls`` lists (entry subgraph, existing initializer subgraph) pairs that lack a CALL_ONCE.
    """

    entries: tuple[int, ...]
    values: tuple[NewValue, ...]
    calls: tuple[tuple[int, int], ...]
    renames: tuple[Rename, ...] = ()
    replacements: tuple[Replacement, ...] = ()

    @property
    def all_values(self) -> tuple[NewValue, ...]:
        """The values to be written, in the order in which they are."""
        return self.values + tuple(replacement.value for replacement in self.replacements)

    @property
    def changes(self) -> bool:
        return bool(self.values or self.calls or self.renames or self.replacements)


def needing_values(analysis: Analysis) -> tuple[Variable, ...]:
    """The variables that a graft must give an initial value."""
    return tuple(
        v
        for v in analysis.variables
        if v.status in (VariableStatus.UNINITIALIZED, VariableStatus.ORDER_DEPENDENT)
    )


def replaceable(analysis: Analysis) -> tuple[Variable, ...]:
    """The builtin variables whose initializer assigns a constant."""
    return tuple(v for v in analysis.variables if v.initial is not None and v.key.kind == "builtin")


def initializing_sites(analysis: Analysis, variable: Variable) -> tuple[OperatorRef, ...]:
    """The ASSIGN_VARIABLEs that give ``variable`` its initial value."""
    targets = set(analysis.initializers)
    return tuple(site for site in variable.assigned_by if site.subgraph in targets)


def missing_calls(analysis: Analysis) -> tuple[tuple[int, int], ...]:
    """(entry subgraph, initializer subgraph) pairs that fix the variables that are ``partial``.

    An entry that reads such a variable unset is to call each initializer that sets it. One
    CALL_ONCE target is shared by all entries, so that training survives a first call of another
    signature.
    """
    pairs: dict[tuple[int, int], None] = {}
    targets = set(analysis.initializers)
    for variable in analysis.variables + analysis.tables:
        if variable.status != VariableStatus.PARTIAL:
            continue
        setters = {site.subgraph for site in variable.assigned_by} & targets
        for entry in analysis.entries:
            for target in sorted(setters):
                if entry.label in variable.unset_in:
                    pairs[(entry.subgraph, target)] = None
    return tuple(pairs)


def checkpoint_renames(context: AnalysisContext) -> tuple[Rename, ...]:
    """New names for what the model saves and restores, if names clash; else nothing.

    A save with a clash has never worked, so no checkpoint is lost: every tensor that belongs to
    one variable takes that variable's shared name, in all save and restore operators alike.

    Raises:
        RefusedError: a tensor whose name clashes belongs to no variable that can be told.
    """
    rows = context.checkpoints
    if not clashes(rows):
        return ()
    renames = []
    for row in rows:
        names = tuple(key.shared_name if key else name for name, key in row.pairs)
        if names != row.names:
            renames.append(Rename(row.site, names))
    after = {rename.site: rename.names for rename in renames}
    left = clashes(tuple(replace(row, names=after.get(row.site, row.names)) for row in rows))
    if left:
        raise RefusedError(
            f"the saved name {next(iter(left))!r} stands for several tensors, and it is not "
            "clear which variables they are",
            hint="use v.path for tensor_names in the source and convert again",
        )
    return tuple(renames)


def check_graftable(model: Model, analysis: Analysis) -> None:
    """The graft's precondition.

    Raises:
        UnsupportedError: a variable without a value holds strings, or has an unknown type or shape;
            a hash table is empty; or metadata counts operators.
        RefusedError: one name stands for variables of different type or shape.
    """
    for name, buffer in model.metadata:
        if name == "model_control_dependencies" and model.buffer(buffer).length:
            raise UnsupportedError(
                "metadata 'model_control_dependencies' counts operators, and a CALL_ONCE in front "
                "would shift them",
                hint="reconvert the model instead",
            )
    for table in analysis.tables:
        if table.status in (VariableStatus.UNINITIALIZED, VariableStatus.ORDER_DEPENDENT):
            raise UnsupportedError(
                f"hash table {table.name} is never filled, and no weights file holds its entries",
                where=place(table.read_by),
                hint="keep the table as an attribute of the tf.Module and convert again",
            )
    for variable in needing_values(analysis):
        if variable.dtype == "string":
            raise UnsupportedError(
                f"variable {variable.name!r} holds strings, which no weights file has",
                where=place(variable.created_by),
                hint="make it a constant in the source and convert again",
            )
        if variable.conflicts:
            raise RefusedError(
                f"two variables share the name {variable.name!r}: {variable.dtype} "
                f"{list(variable.shape or ())} and {_facts(variable)}",
                where=place(variable.created_by),
                hint="give them different names in the source and convert again",
            )
        if variable.nbytes is None:
            raise UnsupportedError(
                f"the file does not state the shape or type of variable {variable.name!r} "
                f"({variable.dtype}, {_sizes(variable.shape)})",
                where=place(variable.created_by),
            )
        try:
            numpy_dtype(variable.dtype or "")
        except UnsupportedError as error:
            error.message = f"variable {variable.name!r}: {error.message}"
            raise error.within(place(variable.created_by) or "the model") from None


def _sizes(shape: tuple[int, ...] | None) -> str:
    """A shape in brackets; of a long one, which only damage makes, its beginning."""
    if shape is None:
        return "no shape"
    return f"[{', '.join(map(str, shape[:8]))}{', ...' if len(shape) > 8 else ''}]"


def _facts(variable: Variable) -> str:
    return ", ".join(f"{dtype} {list(shape)}" for dtype, shape in variable.conflicts)


def place(sites: tuple[OperatorRef, ...]) -> str | None:
    """The first of ``sites`` in words."""
    return f"subgraph {sites[0].subgraph}, operator {sites[0].operator}" if sites else None
