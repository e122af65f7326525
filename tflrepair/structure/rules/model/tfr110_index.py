"""An index leads to nothing.

What: a number that stands for a tensor, buffer, operator code or subgraph is negative, or there
is nothing with that number. An input may be -1 (an optional input left out), and so may one of
`intermediates`; nothing else may.

Why it matters: runtimes refuse the file, or read memory that is not theirs.

Example: an operator that reads tensor 99 of a subgraph with 12 tensors; a WHILE whose body is
subgraph 7 of 3.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tflrepair.structure.rows import Rows
from tflrepair.structure.subject import CALLS, Subject

CODE = "TFR110"


def check(subject: Subject) -> None:
    _operators(subject)
    model = subject.of("Model")
    buffers = len(subject.buffers)
    _column(subject, "Operator", "opcode_index", len(subject.codes), "operator code")
    if model.ref("buffers")[0] > 0:
        # 0 means "none" and need not exist
        _column(subject, "Tensor", "buffer", max(buffers, 1), "buffer")
        _column(subject, "Metadata", "buffer", buffers, "buffer")
        listed = subject.vectors(model, "metadata_buffer")[0]
        _list(subject, model, 0, "metadata_buffer", listed, buffers, "buffer")
    subgraphs = len(subject.subgraphs)
    groups = len(subject.of("ExternalBufferGroup"))
    _column(subject, "ExternalBuffer", "group", groups, "group of external buffers")
    for table, fields in CALLS.items():
        least = -1 if table == "StableHLOCompositeOptions" else 0  # without decomposition
        rows = subject.of(table)
        for field in fields:
            if field in rows.refs:
                for row, listed in enumerate(subject.vectors(rows, field)):
                    _list(subject, rows, row, field, listed, subgraphs, "subgraph")
            elif len(rows):
                _column(subject, table, field, subgraphs, "subgraph", least)
    _signatures(subject)


def _column(
    subject: Subject, table: str, field: str, count: int, noun: str, least: int = 0
) -> None:
    rows = subject.of(table)
    column = rows.column(field)
    if column and (max(column) >= count or min(column) < least):
        for row, value in enumerate(column):
            if not least <= value < count and row not in rows.broken:
                subject.fault(CODE, rows, row, field, _text(noun, value, count))


def _list(
    subject: Subject,
    rows: Rows,
    row: int,
    field: str,
    values: Iterable[int],
    count: int,
    noun: str,
    least: int = 0,
) -> None:
    wrong = [value for value in values if not least <= value < count]
    if wrong:
        subject.fault(CODE, rows, row, field, _text(noun, wrong[0], count))


def _text(noun: str, value: int, count: int) -> str:
    have = "there are none" if count == 0 else f"there are {count}"
    return f"{noun} {value} does not exist; {have}"


def _operators(subject: Subject) -> None:
    """Tensors of the operators and the subgraphs themselves."""
    graphs, rows = subject.of("SubGraph"), subject.of("Operator")
    inputs, outputs = subject.inputs, subject.outputs
    columns = [("inputs", inputs, -1), ("outputs", outputs, 0)]
    if "intermediates" in rows.refs:
        columns.append(("intermediates", subject.vectors(rows, "intermediates"), -1))
    ends = [subject.vectors(graphs, name) for name in ("inputs", "outputs")]
    known = graphs.ref("tensors")
    for graph, operators in enumerate(subject.operators):
        if known[graph] < 0 or graph in graphs.broken:
            continue
        count = len(subject.tensors[graph])
        for name, values in zip(("inputs", "outputs"), ends, strict=True):
            _list(subject, graphs, graph, name, values[graph], count, "tensor")
        rows_of = operators if isinstance(operators, range) else [r for r in operators if r >= 0]
        for name, table, least in columns:
            named = set(chain.from_iterable(map(table.__getitem__, rows_of)))
            if named and (max(named) >= count or min(named) < least):
                for row in rows_of:
                    _list(subject, rows, row, name, table[row], count, "tensor", least)


def _signatures(subject: Subject) -> None:
    rows, maps = subject.of("SignatureDef"), subject.of("TensorMap")
    targets = maps.column("tensor_index")
    subgraphs = subject.subgraphs
    _column(subject, "SignatureDef", "subgraph_index", len(subgraphs), "subgraph")
    for name in ("inputs", "outputs"):
        for row, children in enumerate(rows.children(name)):
            number = rows.column("subgraph_index")[row]
            graph = subgraphs[number] if number < len(subgraphs) else -1
            if graph < 0 or subject.of("SubGraph").ref("tensors")[graph] < 0:
                continue
            count = len(subject.tensors[graph])
            for entry in subject.numbers("TensorMap", children):
                if entry >= 0 and targets[entry] >= count and entry not in maps.broken:
                    text = _text("tensor", targets[entry], count)
                    subject.fault(CODE, maps, entry, "tensor_index", text)
