"""Something that must be there is missing.

What: the model has no subgraphs or no buffers; a subgraph has no list of tensors; a signature has
no key or no list of inputs or outputs; a custom operator has no name; an operator lacks the
options that it cannot do without (IF, WHILE, CALL_ONCE, VAR_HANDLE and their kin, LSTM, BUCKETIZE,
STABLEHLO_PAD and so on).

Why it matters: runtimes refuse the file, or fill the gap with zeros: a WHILE without options runs
subgraph 0 forever.

Example: `Missing exported method name for SignatureDef`; `Operator with CUSTOM builtin_code has
no custom_code`.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.structure.subject import Subject, operator_name

CODE = "TFR109"

_BUILTIN = schema.BuiltinOperator
# Operators that mean nothing without their options, and the member of the union that they need.
_OPTIONS = {
    _BUILTIN.CALL: schema.BuiltinOptions.CallOptions,
    _BUILTIN.CALL_ONCE: schema.BuiltinOptions.CallOnceOptions,
    _BUILTIN.IF: schema.BuiltinOptions.IfOptions,
    _BUILTIN.WHILE: schema.BuiltinOptions.WhileOptions,
    _BUILTIN.VAR_HANDLE: schema.BuiltinOptions.VarHandleOptions,
    _BUILTIN.HASHTABLE: schema.BuiltinOptions.HashtableOptions,
    _BUILTIN.LSTM: schema.BuiltinOptions.LSTMOptions,
    _BUILTIN.BUCKETIZE: schema.BuiltinOptions.BucketizeOptions,
}
_OPTIONS_2 = {
    _BUILTIN.STABLEHLO_PAD: schema.BuiltinOptions2.StablehloPadOptions,
    _BUILTIN.STABLEHLO_REDUCE_WINDOW: schema.BuiltinOptions2.StablehloReduceWindowOptions,
    _BUILTIN.STABLEHLO_GATHER: schema.BuiltinOptions2.StablehloGatherOptions,
    _BUILTIN.STABLEHLO_COMPOSITE: schema.BuiltinOptions2.StableHLOCompositeOptions,
    _BUILTIN.STABLEHLO_CASE: schema.BuiltinOptions2.StablehloCaseOptions,
    _BUILTIN.STABLEHLO_WHILE: schema.BuiltinOptions2.StablehloWhileOptions,
}
# (table, field) that must be there
_FIELDS = (
    ("Model", "buffers", "the model has no buffers"),
    ("SubGraph", "tensors", "the subgraph has no tensors"),
    ("SignatureDef", "signature_key", "the signature has no key"),
    ("SignatureDef", "inputs", "the signature has no list of inputs"),
    ("SignatureDef", "outputs", "the signature has no list of outputs"),
    ("BucketizeOptions", "boundaries", "BUCKETIZE has no boundaries"),
    ("StableHLOCompositeOptions", "name", "the composite has no name"),
    ("StableHLOCompositeOptions", "composite_attributes", "the composite has no attributes"),
    ("StablehloPadOptions", "edge_padding_low", "the padding has no sizes"),
    ("StablehloPadOptions", "edge_padding_high", "the padding has no sizes"),
    ("StablehloPadOptions", "interior_padding", "the padding has no sizes"),
    ("StablehloCaseOptions", "branch_subgraph_indices", "the case has no branches"),
)


def check(subject: Subject) -> None:
    model = subject.of("Model")
    if not model.broken and model.ref("subgraphs")[0] >= 0 and not subject.subgraphs:
        subject.fault(CODE, model, 0, "subgraphs", "the model has no subgraphs")
    for table, field, text in _FIELDS:
        rows = subject.of(table)
        for row, pos in enumerate(rows.ref(field)):
            if pos == 0 and row not in rows.broken:
                subject.fault(CODE, rows, row, field, text)
    _names(subject)
    _options(subject)


def _names(subject: Subject) -> None:
    rows = subject.of("OperatorCode")
    newer, older = rows.column("builtin_code"), rows.column("deprecated_builtin_code")
    for row, pos in enumerate(rows.ref("custom_code")):
        custom = max(newer[row], older[row]) == _BUILTIN.CUSTOM
        if custom and pos >= 0 and not subject.words.count(pos) and row not in rows.broken:
            subject.fault(CODE, rows, row, "custom_code", "the custom operator has no name")


def _options(subject: Subject) -> None:
    rows = subject.of("Operator")
    for union, table in (("builtin_options", _OPTIONS), ("builtin_options_2", _OPTIONS_2)):
        if table.keys().isdisjoint(subject.codes):
            continue
        types, refs = rows.column(union + "_type"), rows.ref(union)
        for row, code in enumerate(subject.code_of):
            if code not in table or refs[row] < 0 or row in rows.broken:
                continue
            if not refs[row] or types[row] != table[code]:
                text = f"{operator_name(code)} has no options of its kind"
                subject.fault(CODE, rows, row, union, text)
