"""What a conversion would lose, seen in the SavedModel before it.

TFS001 A signature captures variables that the saver does not restore.

What: the converter gives each captured variable the value that the SavedModel's restore operator
fills in. These variables are not among what it fills.

Why it matters: the converter drops their values without a word. Keras 3 variables inside a
tf.Module are saved as copies (`Variable_1`, ...), which are restored, while the signatures capture
the originals: every weight is lost (tensorflow issue 98964).

Example: 30 MB of weights, a .tflite of 0.4 MB.

How it is fixed: track the inner variables on the module before saving:
`self._raw = [v.value for v in self.model.variables]`; or `tflrepair convert SAVED_MODEL`.

TFS002 A signature captures variables of the optimizer that the saver does not restore.

What: as TFS001, for the learning rate, the step and the slots (momentum, velocity). Slots may
moreover be made only while the first step is traced, after Keras has listed what to track.

Why it matters: `train` runs with variables that have no value.

Example: `optimizer.apply_gradients` inside the tf.function, without `optimizer.build` before.

How it is fixed: `self.optimizer.build(self.model.trainable_variables)` before the function is
traced, then `self._slots = [v.value for v in self.optimizer.variables]`, before saving.

TFS003 A signature looks into a table that nothing fills.

What: a lookup table that the SavedModel's initializer does not reach.

Why it matters: every lookup gives the default value, without an error.

Example: a tf.lookup.StaticHashTable kept in a local variable or in a plain list of the function.

How it is fixed: `self.table = table` on the module, before saving.

TFS004 Save or restore operators use one name for several tensors.

What: `tf.raw_ops.Save` with equal names in `tensor_names`.

Why it matters: it fails on the device, or one variable gets the value of another.

Example: `tensor_names=[v.name for v in variables]`: in Keras 3 that is `kernel`, `bias`, `kernel`.

How it is fixed: use `v.path`, which is unique.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tflrepair.checks.base import names
from tflrepair.findings import Finding, Location, Severity
from tflrepair.notebook import Presentable
from tflrepair.tensorflow.saved_model_facts import SavedModelFacts, read
from tflrepair.wording import plural, verb

# First parts of the paths that Keras gives the variables of its optimizers
_OPTIMIZERS = frozenset(
    (
        "adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "ftrl",
        "lion", "lamb", "adafactor", "muon", "loss_scale_optimizer",
    )
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class SavedModelScan(Presentable):
    """The facts and what they come to."""

    facts: SavedModelFacts
    findings: tuple[Finding, ...]

    def headline(self) -> str:
        count = len(self.findings)
        return f"{self.facts.path}: {plural(count, 'finding')}"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each finding."""
        return [
            {
                "severity": str(f.severity),
                "code": f.code,
                "message": f.message,
                "hint": f.hint,
                "signature": f.location.signature,
            }
            for f in self.findings
        ]

    @property
    def ok(self) -> bool:
        return not any(finding.is_problem for finding in self.findings)


def scan_saved_model(folder: str | os.PathLike[str]) -> SavedModelScan:
    """Look at a SavedModel folder; needs TensorFlow, runs nothing of the model.

    Raises:
        UnsupportedError: TensorFlow is not installed.
        BadFileError: it is no SavedModel.
    """
    facts = read(os.fspath(folder))
    return SavedModelScan(facts, tuple(_findings(facts)))


def explain(code: str) -> str | None:
    """The documentation of a code of this file; None for any other."""
    doc = (__doc__ or "").split("\n\n", 1)[1]
    parts = re.split(r"(?m)^(?=TFS\d{3} )", doc)
    return next(
        (p.strip().replace(" ", ": ", 1) for p in parts if p.startswith(code.upper() + " ")), None
    )


def _findings(facts: SavedModelFacts) -> Iterator[Finding]:
    lost: dict[str, list[str]] = {}
    for key, captured in facts.signatures.items():
        for name in captured:
            if name in facts.variables and name not in facts.restored:
                lost.setdefault(name, []).append(key)
    late = {name for name in lost if _is_slot(name)}
    weights = [name for name in lost if name not in late]
    if weights:
        used = sorted({key for name in weights for key in lost[name]})
        yield _error(
            "TFS001",
            f"{plural(len(weights), 'variable')} would lose "
            f"{verb(len(weights), 'its value', 'their values')}: {names(weights)}; {_quoted(used)} "
            f"{verb(len(used), 'captures', 'capture')} "
            f"{verb(len(weights), 'it', 'them')}, but the SavedModel does not restore "
            f"{verb(len(weights), 'it', 'them')}",
            "add `self._raw = [v.value for v in self.model.variables]` before saving, or convert "
            f"with: tflrepair convert {facts.path} -o model.tflite",
            used[0],
        )
    if late:
        used = sorted({key for name in late for key in lost[name]})
        rows = [name for name in lost if name in late]
        yield _error(
            "TFS002",
            f"{plural(len(rows), 'variable')} of the optimizer would lose "
            f"{verb(len(rows), 'its value', 'their values')}: {names(rows)}",
            "add `self.optimizer.build(self.model.trainable_variables)` before tracing, then "
            "`self._slots = [v.value for v in self.optimizer.variables]`, before saving",
            used[0],
        )
    for key, captured in facts.signatures.items():
        empty = [n for n in captured if n in facts.tables and n not in facts.initialized]
        if empty:
            yield _error(
                "TFS003",
                f"`{key}` looks into tables that nothing fills: {names(empty)}",
                "keep the table on the module (`self.table = table`) before saving",
                key,
            )
    for key, rows_ in facts.checkpoints.items():
        for row in rows_:
            twice = [name for name, count in row.names.items() if count > 1]
            if twice:
                yield _error(
                    "TFS004",
                    f"`{key}` uses one name for several tensors to {row.verb}: {names(twice)}",
                    "name each variable by `v.path`, which is unique; `v.name` is not",
                    key,
                )


def _error(code: str, message: str, hint: str, signature: str) -> Finding:
    return Finding(code, Severity.ERROR, message, hint, Location(signature=signature))


def _is_slot(name: str) -> bool:
    first = re.sub(r"_\d+$", "", name.split("/")[0].lower())
    return first in _OPTIMIZERS


def _quoted(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
