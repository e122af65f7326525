"""An operator has operands that it cannot have.

What: most operators take and give a fixed number of tensors, none of which may be left out (-1).
Those that touch variables and tables or call subgraphs take fixed types as well: READ_VARIABLE
one resource and one value, ASSIGN_VARIABLE a resource and a value, tables int64 and strings, IF a
condition and what both branches take, WHILE as many as its body takes and gives, CALL_ONCE none
(tensorflow/lite/kernels/*.cc, Prepare).

Why it matters: the runtime stops at that operator, or copies tensors that are not there. Loading
a file does not show it; preparing to run it does.

Example: a WHILE with three inputs whose body takes two.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.structure.rules.model.operand_counts import COUNTS
from tflrepair.structure.subject import Subject, operator_name
from tflrepair.wording import plural

CODE = "TFR119"

_O = schema.BuiltinOperator
_INT64, _STRING = schema.TensorType.INT64, schema.TensorType.STRING
# inputs, outputs, which input or output ("i0", "o0") is a resource
_FIXED = {
    _O.VAR_HANDLE: (0, 1, "o0"),
    _O.READ_VARIABLE: (1, 1, "i0"),
    _O.ASSIGN_VARIABLE: (2, 0, "i0"),
    _O.HASHTABLE: (0, 1, "o0"),
    _O.HASHTABLE_FIND: (3, 1, "i0"),
    _O.HASHTABLE_IMPORT: (3, 0, "i0"),
    _O.HASHTABLE_SIZE: (1, 1, "i0"),
    _O.CALL_ONCE: (0, 0, ""),
}
_TABLES = (_O.HASHTABLE, _O.HASHTABLE_FIND, _O.HASHTABLE_IMPORT, _O.HASHTABLE_SIZE)
# The first inputs, of operators whose last may be left out.
_NEEDED = {
    _O.CONV_2D: 2,
    _O.DEPTHWISE_CONV_2D: 2,
    _O.FULLY_CONNECTED: 2,
    _O.TRANSPOSE_CONV: 3,
    _O.CONCATENATION: 1 << 30,
    _O.PACK: 1 << 30,
    _O.ADD_N: 1 << 30,
}
_CALLING = (_O.IF, _O.WHILE, _O.STABLEHLO_WHILE, _O.CALL, _O.CALL_ONCE, _O.STABLEHLO_COMPOSITE)


def check(subject: Subject) -> None:
    rows, codes = subject.of("Operator"), subject.code_of
    ends = rows.ref("inputs"), rows.ref("outputs")
    broken = [column for column in ends if min(column, default=0) < 0]
    skip = {row for column in broken for row, pos in enumerate(column) if pos < 0} | rows.broken
    inputs, outputs = subject.inputs, subject.outputs
    for graph, operators in enumerate(subject.operators):
        types = [subject.types[row] if row >= 0 else -1 for row in subject.tensors[graph]]
        for row in operators:
            if row < 0 or row in skip:
                continue
            code, taken = codes[row], inputs[row]
            wanted = COUNTS.get(code)
            if wanted and wanted == (len(taken), len(outputs[row])) and -1 not in taken:
                continue  # most operators; none of these calls subgraphs
            wrong = _fixed(subject, row, types) if code in _FIXED else _counted(subject, row)
            if not wrong and code in _CALLING:
                wrong = _Call(subject, row, types).wrong()
            if wrong:
                name = operator_name(code)
                subject.fault(CODE, rows, row, "inputs", f"{name} {wrong}")


def _counted(subject: Subject, row: int) -> str:
    """What is wrong with the number of tensors, or with one that is left out."""
    code, taken = subject.code_of[row], subject.inputs[row]
    wanted = COUNTS.get(code)
    if wanted is None:
        return "lacks an input" if -1 in taken[: _NEEDED.get(code, 0)] else ""
    counts = len(taken), len(subject.outputs[row])
    if counts != wanted:
        return (
            f"takes {counts[0]} and gives {plural(counts[1], 'tensor')}, not {wanted[0]} and "
            f"{wanted[1]}"
        )
    return "needs all its inputs, and one is left out" if -1 in taken else ""


def _fixed(subject: Subject, row: int, types: list[int]) -> str:
    taken, made = subject.inputs[row], subject.outputs[row]
    inputs, outputs, resource = _FIXED[subject.code_of[row]]
    if (len(taken), len(made)) != (inputs, outputs):
        return (
            f"takes {len(taken)} and gives {plural(len(made), 'tensor')}, not {inputs} and "
            f"{outputs}"
        )
    if -1 in taken:
        return "needs all its inputs, and one is left out"
    if resource:
        index = (taken if resource[0] == "i" else made)[0]
        if 0 <= index < len(types) and types[index] != schema.TensorType.RESOURCE:
            kind = schema.TENSOR_TYPE_NAMES.get(types[index], types[index])
            return f"has {kind} tensor {index} where the resource should be"
    if subject.code_of[row] not in _TABLES:
        return ""
    kinds = [types[i] if 0 <= i < len(types) else -1 for i in taken + made]
    return _table_types(subject, row, kinds)


def _table_types(subject: Subject, row: int, types: list[int]) -> str:
    """What is wrong with the types of keys and values of a hash table."""
    code = subject.code_of[row]
    if code == _O.HASHTABLE_SIZE:
        return "" if types[1] == _INT64 else "gives a size that is not INT64"
    if code == _O.HASHTABLE_FIND:
        if types[2] != types[3]:
            return "has a default of another type than its answer"
        pair = types[1], types[3]
    elif code == _O.HASHTABLE_IMPORT:
        pair = types[1], types[2]
    else:
        options = subject.of("HashtableOptions")
        place = options.index.get(subject.of("Operator").ref("builtin_options")[row], -1)
        if place < 0:
            return ""  # TFR109 has said so
        pair = options.column("key_dtype")[place], options.column("value_dtype")[place]
    if pair in ((_INT64, _STRING), (_STRING, _INT64)):
        return ""
    names = [schema.TENSOR_TYPE_NAMES.get(kind, str(kind)) for kind in pair]
    return f"maps {names[0]} to {names[1]}; tables map INT64 to STRING or STRING to INT64"


class _Call:
    """One operator that calls subgraphs."""

    def __init__(self, subject: Subject, row: int, types: list[int]) -> None:
        self.subject = subject
        self.code = subject.code_of[row]
        self.taken, self.made = subject.inputs[row], subject.outputs[row]
        self.types = types
        self.targets = [
            subject.subgraphs[number] if 0 <= number < len(subject.subgraphs) else -1
            for number in subject.calls.get(row, [])
        ]

    def wrong(self) -> str:
        if not self.targets or min(self.targets) < 0:
            return ""  # TFR109 and TFR110 have said so
        if self.code == _O.CALL_ONCE:
            return ""  # TFR017 is about initializers with inputs
        if self.code == _O.IF:
            return self._branch()
        taken, made = len(self.taken), len(self.made)
        if self.code in (_O.WHILE, _O.STABLEHLO_WHILE):
            if taken != made:
                return f"takes {plural(taken, 'tensor')} and gives {made}"
            return (
                self._differs(self.targets[0], taken, 1)
                or self._differs(self.targets[1], taken, taken)
                or self._condition(self.targets[0])
            )
        return self._differs(self.targets[0], taken, made)

    def _branch(self) -> str:
        if not self.taken:
            return "has no condition"
        first = self.taken[0]
        if 0 <= first < len(self.types) and self.types[first] != schema.TensorType.BOOL:
            return f"has a condition, tensor {first}, that is not BOOL"
        sizes = len(self.taken) - 1, len(self.made)
        return self._differs(self.targets[0], *sizes) or self._differs(self.targets[1], *sizes)

    def _ends(self, target: int, name: str) -> list[int] | None:
        """Inputs or outputs of a subgraph, or None if they cannot be told."""
        graphs = self.subject.of("SubGraph")
        pos = graphs.ref(name)[target]
        return self.subject.words.vector(pos) if pos > 0 else None if pos else []

    def _differs(self, target: int, inputs: int, outputs: int) -> str:
        graphs = self.subject.of("SubGraph")
        for name, wanted in (("inputs", inputs), ("outputs", outputs)):
            pos = graphs.ref(name)[target]
            count = self.subject.words.count(pos)
            if pos >= 0 and count != wanted:
                return f"calls a subgraph with {count} {name} where {wanted} are needed"
        return ""

    def _condition(self, target: int) -> str:
        outputs, tensors = self._ends(target, "outputs"), self.subject.tensors[target]
        if outputs and 0 <= outputs[0] < len(tensors) and tensors[outputs[0]] >= 0:
            kind = self.subject.types[tensors[outputs[0]]]
            if kind != schema.TensorType.BOOL:
                return "has a condition whose answer is not BOOL"
        return ""
