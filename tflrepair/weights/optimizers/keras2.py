"""Initial values of the optimizer variables of tf-keras (Keras 2).

Its optimizers call a slot ``<class>/<slot>/<variable's name>``, without the class where ``build``
was called by hand (tf_keras/src/optimizers/optimizer.py, ``add_variable_from_reference``); the
older ones ``<class>/<variable's name>/<slot>`` (legacy/optimizer_v2.py, ``_create_slots``). The
counter is ``iteration`` or ``<class>/iter``. A slot's name alone tells its start: no two optimizers
of tf-keras give one name different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tflrepair.weights.types.layer_names import snake_case, split_number
from tflrepair.weights.types.start import NO_RATE
from tflrepair.weights.types.weight import Target

_SOURCE = "tf_keras/src/optimizers"
_COPY = "average"  # with use_ema=True; starts as its variable
_STARTS = {"accumulator": 0.1}  # the default of ``_ARGUMENTS``; all others: 0
_ARGUMENTS = {"accumulator": "initial_accumulator_value"}  # of Adagrad and Ftrl

# class -> (file, slots of today's optimizer, slots of the one in legacy/)
_CLASSES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "SGD": ("sgd", ("m",), ("momentum",)),
    "Adam": ("adam", ("m", "v", "vhat"), ("m", "v", "vhat")),
    "AdamW": ("adamw", ("m", "v", "vhat"), ()),
    "Adamax": ("adamax", ("m", "u"), ("m", "v")),
    "Nadam": ("nadam", ("m", "v"), ("m", "v")),
    "RMSprop": ("rmsprop", ("velocity", "momentum", "average_gradient"), ("rms", "momentum", "mg")),
    "Adagrad": ("adagrad", ("accumulator",), ("accumulator",)),
    "Adadelta": (
        "adadelta",
        ("accumulated_grad", "accumulated_delta_var"),
        ("accum_grad", "accum_var"),
    ),
    "Ftrl": ("ftrl", ("accumulator", "linear"), ("accumulator", "linear")),
    "Lion": ("lion", ("m",), ()),
    "Adafactor": ("adafactor", ("r", "c", "v"), ()),
}
_SLOTS = frozenset(slot for _, slots, _ in _CLASSES.values() for slot in slots) | {_COPY}
_PRODUCTS = ("Nadam/Variable", "Nadam/momentum_cache")
# tf_keras/src/mixed_precision/loss_scale_optimizer.py, ``_DynamicLossScaleState``
_LOSS_SCALE = {"current_loss_scale": 2.0**15, "good_steps": 0.0}


@dataclass(frozen=True)
class Slot:
    """A slot of an optimizer: of which class ("" if the name does not say), which, for what."""

    kind: str
    slot: str
    owner: str
    legacy: bool = False

    @property
    def value(self) -> float | None:
        """Of every element; None for a copy of the owner."""
        return None if self.slot == _COPY else _STARTS.get(self.slot, 0.0)

    @property
    def argument(self) -> str:
        """Argument of the constructor that changes the value."""
        return _ARGUMENTS.get(self.slot, "")

    @property
    def pattern(self) -> str:
        """What stands for all slots like this one, ``*`` for anything."""
        if self.legacy:
            return f"{self.kind}*/{self.slot}"
        return f"{self.kind}*/{self.slot}/*" if self.kind else f"{self.slot}/*"

    @property
    def source(self) -> str:
        file = _CLASSES[self.kind][0] if self.kind else "optimizer"
        return f"{_SOURCE}/legacy/{file}.py" if self.legacy else f"{_SOURCE}/{file}.py"


@dataclass(frozen=True)
class Scalar:
    """What an optimizer keeps once. ``value`` None: a hyperparameter, which must be given.

    ``argument`` of the constructor of ``kind`` decides its value; empty if nothing does.
    """

    reason: str
    value: float | None = None
    source: str = ""
    kind: str = ""
    argument: str = ""


def recognise(targets: Sequence[Target]) -> dict[str, Slot | Scalar]:
    """Each target that belongs to an optimizer of tf-keras; none where no counter is there."""
    names = {target.shared_name: target for target in targets}
    if not any(_is_counter(target) for target in targets):
        return {}
    found: dict[str, Slot | Scalar] = {}
    for name, target in names.items():
        scalar = _scalar(name, names) if target.shape == () else None
        row = scalar or _slot(name, target, names)
        if row is not None:
            found[name] = row
    return found


def _is_counter(target: Target) -> bool:
    first, _, rest = target.shared_name.partition("/")
    is_name = rest == "iter" if _kind(first) else not rest and split_number(first)[0] == "iteration"
    return is_name and target.shape == () and "int" in target.dtype


def _kind(part: str) -> str:
    """``Adam_1`` -> ``Adam``; empty for what is no optimizer's class."""
    base = split_number(part)[0]
    return base if base in _CLASSES else ""


def _scalar(name: str, names: Iterable[str]) -> Scalar | None:
    first, _, rest = name.partition("/")
    if not rest:
        base = split_number(first)[0]
        if base == "iteration":
            return Scalar("the step counter starts at 0", 0.0, f"{_SOURCE}/optimizer.py")
        if base == "learning_rate":
            return Scalar(NO_RATE, kind=_only_kind(names), argument="learning_rate")
        if base in _LOSS_SCALE and _LOSS_SCALE.keys() <= {split_number(n)[0] for n in names}:
            value = _LOSS_SCALE[base]
            file = "tf_keras/src/mixed_precision/loss_scale_optimizer.py"
            argument = "initial_scale" if value else ""
            reason = f"{base} starts at {value:g}"
            return Scalar(reason, value, file, "loss_scale_optimizer", argument)
        return None
    kind = _kind(first)
    if not kind or "/" in rest:
        return None
    if rest == "iter":
        file = f"{_SOURCE}/legacy/optimizer_v2.py"
        return Scalar("the step counter starts at 0", 0.0, file)
    if f"{kind}/{rest}" in _PRODUCTS:
        return Scalar("Nadam's running product starts at 1", 1.0, f"{_SOURCE}/nadam.py")
    reason = f"{rest} is a hyperparameter of {kind}, which no weights file holds"
    kind = snake_case(kind)
    if rest == "learning_rate":
        return Scalar(NO_RATE, kind=kind, argument=rest)
    return Scalar(reason, kind=kind, argument=rest)


def _only_kind(names: Iterable[str]) -> str:
    """The one class of optimizer that has slots here, as Keras names optimizers after it."""
    kinds = {kind for name in names if (kind := _kind(name.partition("/")[0]))}
    return snake_case(kinds.pop()) if len(kinds) == 1 else ""


def _slot(name: str, target: Target, names: Mapping[str, Target]) -> Slot | None:
    first, _, rest = name.partition("/")
    kind = _kind(first)
    slot, _, path = (rest if kind else name).partition("/")
    if kind:
        _, now, before = _CLASSES[kind]
        if slot in now or slot == _COPY:
            return Slot(kind, slot, path)
        owner, _, last = rest.rpartition("/")
        return Slot(kind, last, owner, legacy=True) if owner and last in before else None
    owned = names.get(path)
    if slot in _SLOTS and owned is not None and _shaped(slot, target, owned):
        return Slot("", slot, path)
    return None


def _shaped(slot: str, target: Target, owner: Target) -> bool:
    """Whether a slot can have this shape; Adafactor's averages lack their variable's last or
    last but one dimension."""
    if slot not in ("r", "c"):
        return target.shape == owner.shape
    whole = owner.shape or ()
    less = whole[:-1] if slot == "r" else whole[:-2] + whole[-1:]
    return target.shape == less or target.shape == whole or target.shape in ((), (1,))
