"""A hash table is read before it is filled.

What: HASHTABLE_FIND or HASHTABLE_SIZE runs, and no HASHTABLE_IMPORT has run before.

Why it matters: every lookup gives the default value, without an error.

Example: a `tf.lookup.StaticHashTable` whose initializer the converter left out.

How it is mended: convert again with the table tracked by the module (`self.table = ...`). Where
the import is in the file and some entry does not call it, see TFR006.
"""

from __future__ import annotations

from collections.abc import Iterator

from tflrepair.analysis.variables import ORDER_DEPENDENT, UNINITIALIZED
from tflrepair.checks.base import ERROR, Finding, Subject

CODE = "TFR009"


def check(subject: Subject) -> Iterator[Finding]:
    for table in subject.analysis.tables:
        if table.status in (UNINITIALIZED, ORDER_DEPENDENT):
            yield Finding(
                CODE,
                ERROR,
                f"hash table {table.name} is looked up before anything fills it",
                "track the table on the module and convert again",
                signature=table.unset_in[0],
                site=table.read_by[0],
            )
