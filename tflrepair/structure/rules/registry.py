"""All rules, in the order of their codes. A code is never used again for something else.

The first ones document what the walk itself finds (tflrepair/structure/walk.py and
references.py); the others have a ``check``.
"""

from __future__ import annotations

from types import ModuleType

from tflrepair.structure.rules.encoding import (
    tfr101_offset,
    tfr102_alignment,
    tfr103_vtable,
    tfr104_vector,
    tfr105_terminator,
    tfr106_utf8,
    tfr107_excess,
)
from tflrepair.structure.rules.model import (
    tfr108_version,
    tfr109_missing,
    tfr110_index,
    tfr118_dataflow,
    tfr119_operands,
    tfr120_circle,
    tfr121_names,
    tfr122_options,
)
from tflrepair.structure.rules.tensors import (
    tfr111_type,
    tfr112_shape,
    tfr113_constant,
    tfr114_strings,
    tfr115_sparsity,
    tfr116_quantization,
    tfr117_outside,
)

CHECKING = (
    tfr108_version,
    tfr109_missing,
    tfr110_index,
    tfr111_type,
    tfr112_shape,
    tfr113_constant,
    tfr114_strings,
    tfr115_sparsity,
    tfr116_quantization,
    tfr117_outside,
    tfr118_dataflow,
    tfr119_operands,
    tfr120_circle,
    tfr121_names,
    tfr122_options,
)
_ENCODING: tuple[ModuleType, ...] = (
    tfr101_offset,
    tfr102_alignment,
    tfr103_vtable,
    tfr104_vector,
    tfr105_terminator,
    tfr106_utf8,
    tfr107_excess,
)
RULES: tuple[ModuleType, ...] = (*_ENCODING, *CHECKING)
# Codes of faults after which some of the file cannot be read at all.
OF_THE_ENCODING = frozenset(rule.CODE for rule in _ENCODING)
