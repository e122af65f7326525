"""A hash table is read before it is filled.

What: HASHTABLE_FIND or HASHTABLE_SIZE runs, and no HASHTABLE_IMPORT has run before.

Why it matters: the first lookup stops the model.

On each runtime:

    LiteRT, tf.lite   `hashtable need to be initialized before using`
                      (experimental/resource/static_hashtable.cc)
    Flex              another check looks at its tables (TFR028)
    TFLM              has no hash tables: the file does not start

Example: a `tf.lookup.StaticHashTable` whose initializer the converter left out.

How it is fixed: convert again with the table tracked by the module (`self.table = ...`). If
the import is in the file and some entry does not call it, see TFR006.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.context import AnalysisContext
from tflrepair.analysis.status import VariableStatus
from tflrepair.checks.base import Found, check, location
from tflrepair.findings import Severity


@check("TFR009", Severity.ERROR)
def empty_table(context: AnalysisContext) -> Iterator[Found]:
    for table in context.analysis.tables:
        if table.status in (VariableStatus.UNINITIALIZED, VariableStatus.ORDER_DEPENDENT):
            yield Found(
                f"hash table {table.name} is looked up before anything fills it",
                "keep the table as an attribute of the tf.Module and convert again",
                location(table.read_by[0], table.unset_in[0]),
            )
