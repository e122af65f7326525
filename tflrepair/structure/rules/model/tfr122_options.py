"""An operator's options have a value that does not exist.

What: a padding, activation, element type or format is a number that the schema does not have, a
list is longer than the eight numbers that runtimes keep, the sizes of STABLEHLO_PAD or
STABLEHLO_REDUCE_WINDOW differ (tensorflow/lite/core/api/flatbuffer_conversions.cc), or a builtin
operator has custom options, which are for custom operators.

Why it matters: runtimes refuse the file, or take the number for "none" and answer wrong. The
second is stricter than they are; so is the rule about custom options, which they report and
ignore.

Example: padding 3 in CONV_2D; a RESHAPE to nine dimensions.

How it is fixed: convert the model again.
"""

from __future__ import annotations

from tflrepair.format import schema
from tflrepair.format.layout import TABLES
from tflrepair.structure.subject import UNKNOWN, Subject, operator_name
from tflrepair.wording import plural

CODE = "TFR122"

_TYPES = frozenset(schema.TENSOR_TYPE_NAMES)
# field -> values, in whatever options it is
_VALUES = {
    "padding": frozenset((0, 1)),
    "fused_activation_function": frozenset(range(6)),
    "weights_format": frozenset((0, 1)),
    "kernel_type": frozenset((0, 1)),
    "mode": frozenset((0, 1)),
    "reduce_function": frozenset(range(1, 7)),
    **dict.fromkeys(
        ("output_type", "in_data_type", "out_data_type", "out_type", "idx_out_type",
         "key_dtype", "value_dtype", "quantized_bias_type"), _TYPES,
    ),
}  # fmt: skip
_MOST = 8
_WINDOW = ("window_strides", "base_dilations", "window_dilations")
_LISTS = (
    ("ReshapeOptions", ("new_shape",)),
    ("SqueezeOptions", ("squeeze_dims",)),
    ("StablehloPadOptions", ("edge_padding_low", "edge_padding_high", "interior_padding")),
    ("StablehloReduceWindowOptions", ("window_dimensions", *_WINDOW)),
    ("StablehloGatherOptions",
     ("offset_dims", "collapsed_slice_dims", "start_index_map", "slice_sizes")),
    ("StablehloScatterOptions",
     ("update_window_dims", "inserted_window_dims", "scatter_dims_to_operand_dims")),
    ("StablehloCaseOptions", ("branch_subgraph_indices",)),
)  # fmt: skip


def check(subject: Subject) -> None:
    for table, rows in subject.walk.rows.items():
        if not table.endswith("Options"):
            continue
        for field, kind in TABLES[table]:
            allowed = _VALUES.get(field)
            if allowed is None or kind not in "bi":
                continue
            column = rows.column(field, min(allowed))
            if not allowed >= set(column):
                for row, value in enumerate(column):
                    if value not in allowed and row not in rows.broken:
                        subject.fault(CODE, rows, row, field, f"there is no {field} {value}")
    for table, fields in _LISTS:
        rows = subject.of(table)
        for field in fields:
            for row, pos in enumerate(rows.ref(field)):
                count = subject.words.count(pos)
                if count > _MOST:
                    text = f"it has {plural(count, 'number')}; {_MOST} is the limit"
                    subject.fault(CODE, rows, row, field, text)
    _custom(subject)
    _sizes(subject, "StablehloPadOptions", "edge_padding_low", _LISTS[2][1], 1)
    _sizes(subject, "StablehloReduceWindowOptions", "window_dimensions", _WINDOW, 1)
    _sizes(subject, "StablehloReduceWindowOptions", "window_dimensions", ("padding",), 2)


def _custom(subject: Subject) -> None:
    """Custom options of builtin operators."""
    rows = subject.of("Operator")
    if "custom_options" not in rows.refs:
        return
    for row, pos in enumerate(rows.refs["custom_options"]):
        code = subject.code_of[row]
        if pos > 0 and code not in (schema.BuiltinOperator.CUSTOM, UNKNOWN):
            text = f"{operator_name(code)} is builtin and has custom options"
            subject.fault(CODE, rows, row, "custom_options", text)


def _sizes(subject: Subject, table: str, first: str, fields: tuple[str, ...], times: int) -> None:
    """Lists that must be as long as the ``first``, or that times ``times``."""
    rows = subject.of(table)
    for row, pos in enumerate(rows.ref(first)):
        count = subject.words.count(pos) * times
        if pos > 0 and not count:
            subject.fault(CODE, rows, row, first, "it is empty")
        for field in fields:
            other = rows.ref(field)[row]
            size = subject.words.count(other)
            if pos > 0 and other > 0 and size != count and (size or times == 1 != count):
                subject.fault(
                    CODE, rows, row, field, f"it has {plural(size, 'number')} instead of {count}"
                )
