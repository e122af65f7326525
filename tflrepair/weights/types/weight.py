"""What is matched: variables that need a value, and arrays that files hold.

    Target   one variable of the model
    Weight   one array in a source; its shape and dtype are known, its bytes are not read yet
    Source   one file (or object) with its weights

The layer that an array belongs to is described twice where the file does so: ``keys``, the path
of attribute names under which Keras saved it, and ``layer``, the chain of layer names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from tflrepair.errors import BadFileError
from tflrepair.weights.types.architecture import Architecture
from tflrepair.weights.types.layer_flow import LayerFlow
from tflrepair.wording import plural

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True)
class Target:
    """A variable of the model that needs a value.

    Attributes:
        dtype: numpy name of the element type (``float32``, ``int64``).
        shape: None where the model does not tell; -1 for an open dimension.
        first_use: rank of its first use in execution order; large if it is never used.
        upstream: bit i is set where target i of the same sequence takes part in computing every
            value that this variable is combined with: layer i comes before it in the data flow.
        read_as: names of the tensors that it is read into.
        saved_as: names under which the model's own save operators, and no other variable, save it.
        updated: place in the order in which the optimizer updates variables, if that is known.
        update_hint: the same where nothing confirms that order: it may contradict, never decide.
        normalizes: whether it is used as Keras's own normalization layers use their variables.
        flow: the operators of `infer`; the same for all variables of a model.
        rounds: whether a float of more precision may be rounded to ``dtype``.
        called: its name in the program, if the graph has another one (see ``called``); else empty.
        unset_in: entries (signatures) that read it before they set it.
        update: how the model itself changes it from its own value (see ``selfupdate``); or empty.
        follows: shared name of the variable that updates mix into it, if that is all they do.
    """

    container: str
    shared_name: str
    dtype: str
    shape: tuple[int, ...] | None
    first_use: int = 1 << 30
    upstream: int = 0
    read_as: tuple[str, ...] = ()
    saved_as: tuple[str, ...] = ()
    updated: int | None = None
    rounds: bool = False
    update_hint: int | None = None
    normalizes: bool = False
    flow: LayerFlow | None = field(default=None, repr=False, compare=False)
    called: str = ""
    unset_in: tuple[str, ...] = ()
    update: str = ""
    follows: str = ""

    @property
    def name(self) -> str:
        """What the program that made the model called it."""
        return self.called or self.shared_name


@dataclass(frozen=True)
class Weight:
    """An array in a source.

    Attributes:
        source: label of the source (its path).
        path: name of the array inside the source; unique there.
        dtype: numpy name of the element type.
        layer: names of the layers around it, outermost first; () where the file has none.
        keys: the steps to its layer in a Keras file: attributes, and members of lists of layers
            (``layers/dense_1``: the second Dense of the list ``layers``). Where there are both,
            ``layer`` has one name more, that of the saved model itself.
        index: position among the arrays of its layer, where that is what tells them apart.
        role: ``kernel``, ``moving_mean``, ...; empty where the file does not say.
        sorted_steps: for each of ``keys``, whether it is a member of a list that is sorted by the
            data flow, as the layers of a Functional or Sequential model are.
        classes: for each of ``layer``, its class as Keras names layers after it, or empty; () where
            the file does not tell, or tells it in ``keys``.
        rank: place of its layer in a list that is ordered like ``model.layers``, if there is one.
        place: place in a list of the outermost layer's weights, in the order in which Keras holds
            them, if there is one.
        plain: False for what is offered to an explicit map only, never matched.
        reader, stream: give the array, whole or as flat pieces in row-major order; one of them.
    """

    source: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    layer: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    index: int | None = None
    role: str = ""
    rank: int | None = None
    place: int | None = None
    sorted_steps: tuple[bool, ...] = ()
    classes: tuple[str, ...] = ()
    plain: bool = True
    reader: Callable[[], Array] | None = field(default=None, repr=False, compare=False)
    stream: Callable[[], Iterator[Array]] | None = field(default=None, repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What the variable may have been called in the program that wrote the file."""
        inner = "/".join((*self.layer[1:], self.role)) if self.role else self.path
        return self.path, "/".join((*self.layer, self.role)) if self.role else self.path, inner

    def read(self) -> Array:
        """The array, read from the file now.

        Raises:
            BadFileError: the file is damaged, or holds another shape than it declared.
        """
        import numpy as np

        if self.reader is None:
            whole, done = np.empty(0, self.dtype if "bfloat" not in self.dtype else "V2"), 0
            for piece in self.pieces():
                if not done:
                    whole = np.empty(prod(self.shape), piece.dtype)
                whole[done : done + piece.size] = piece
                done += piece.size
            return whole.reshape(self.shape)
        array = self.reader()
        if tuple(array.shape) != self.shape:
            raise BadFileError(
                f"{self.path} has shape {tuple(array.shape)}, declared as {self.shape}",
                where=self.source,
            )
        return array

    def pieces(self) -> Iterator[Array]:
        """The elements in row-major order as flat arrays, of some megabytes where the file allows.

        Raises:
            BadFileError: as ``read``.
        """
        if self.stream is None:
            if self.reader is None:
                raise BadFileError(f"{self.path} cannot be read", where=self.source)
            yield self.read().reshape(-1)
            return
        left = prod(self.shape)
        for piece in self.stream():
            left -= piece.size
            if left < 0:
                break
            yield piece
        if left:
            raise BadFileError(
                f"{self.path} does not have the {plural(prod(self.shape), 'element')} that it "
                "declared",
                where=self.source,
            )

    @property
    def nbytes(self) -> int:
        import numpy as np

        if self.dtype == "bfloat16":  # no type of numpy's own
            return prod(self.shape) * 2
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class OptimizerConfig:
    """An optimizer that a file describes: its class as Keras names optimizers after it
    (``adam_w``), and the arguments of its constructor."""

    kind: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Described:
    """A layer of which a file's config tells: its place in a Keras 3 weights file, its name, its
    class as Keras names layers after it, and whether that is Keras's own (None: not told)."""

    path: str
    name: str
    class_name: str
    own: bool | None


@dataclass(frozen=True)
class Source:
    """A file (or an object in memory) and its arrays.

    Attributes:
        kind: what it is, in words: ``Keras 3 weights file``.
        exact: its paths are the model's own variable names, kept by the program that wrote
            both; where all fit, nothing else needs to be compared.
        saved: the model's own save operator may have written it: names are those of ``saved_as``.
        named: its paths are names of variables, of this program or of another.
        architecture: layers and their calls, where the file holds them.
        own_classes: path of a layer (its ``keys``) -> whether its class is Keras's own, where the
            file tells.
        described: the layers that the file's config describes, those in layers, too.
        weightless: (class, name) of the layers of Functional models for which the file holds
            nothing; the name is empty before Keras 3.6.
        optimizers: the optimizers that the model was compiled with, where the file tells.
    """

    label: str
    kind: str
    weights: tuple[Weight, ...]
    exact: bool = False
    saved: bool = False
    named: bool = False
    architecture: Architecture | None = field(default=None, repr=False)
    own_classes: Mapping[str, bool] = field(default_factory=dict, repr=False)
    described: tuple[Described, ...] = field(default=(), repr=False)
    weightless: tuple[tuple[str, str], ...] = ()
    optimizers: tuple[OptimizerConfig, ...] = ()


def size_text(shape: tuple[int, ...] | None) -> str:
    """``(3, -1)`` -> ``3x?``; ``()`` -> ``scalar``."""
    if shape is None:
        return "unknown shape"
    return "x".join("?" if n < 0 else str(n) for n in shape) or "scalar"
