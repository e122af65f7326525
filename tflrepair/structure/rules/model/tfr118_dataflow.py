"""A tensor is written twice.

What: the operators of a subgraph run in the order of their list. One writes a tensor that is an
input, a constant or already written, or that is its own input.

Why it matters: two values share one name, and an optimizer that believes the graph will break it.
Interpreters refuse only a tensor that is both input and output of a builtin operator; the rest is
stricter, as in tensorflow/lite/core/tools/verifier.cc.

Example: `Tensor 4 is both input 0 and output 0`.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.structure.subject import Subject, operator_name

CODE = "TFR118"


def check(subject: Subject) -> None:
    graphs, rows = subject.of("SubGraph"), subject.of("Operator")
    variable = subject.of("Tensor").column("is_variable")
    data, inputs, outputs = subject.data, subject.inputs, subject.outputs
    for graph, operators in enumerate(subject.operators):
        tensors = subject.tensors[graph]
        count = len(tensors)
        fixed = bytearray(
            row >= 0 and (data[row] is not None or variable[row] != 0) for row in tensors
        )
        for index in subject.vector(graphs, "inputs", graphs.ref("inputs")[graph]):
            if 0 <= index < count:
                fixed[index] = 2
        for row in operators:
            if row < 0:
                continue
            made = outputs[row]
            for index in made:
                if not 0 <= index < count:
                    continue
                if fixed[index] or index in inputs[row]:
                    _fault(subject, row, index, fixed[index])
                fixed[index] = 3
    _ = rows


def _fault(subject: Subject, row: int, index: int, state: int) -> None:
    rows = subject.of("Operator")
    what = ("its own input", "a constant or state", "an input of the subgraph", "already written")
    name = operator_name(subject.code_of[row])
    text = f"{name} writes tensor {index}, which is {what[state]}"
    subject.fault(CODE, rows, row, "outputs", text)
