"""The verdicts on a variable, over all entry points (each signature's subgraph, and subgraph 0).

    initialized      every entry that reads it has set it first
    partial          a CALL_ONCE sets it at some entries, others read it unset
    order-dependent  entries read it unset, but calling other entries first makes them right
    uninitialized    some entry reads it unset, and no order of calls makes that entry right
    unread           no entry reads it

"Makes right" is meant for the whole entry: where `restore` sets 6 of the 268 variables that
`infer` reads, no order helps `infer`, and the 6 are uninitialized like the rest.
"""

from __future__ import annotations

from enum import StrEnum


class VariableStatus(StrEnum):
    """The verdicts above."""

    INITIALIZED = "initialized"
    PARTIAL = "partial"
    ORDER_DEPENDENT = "order-dependent"
    UNINITIALIZED = "uninitialized"
    UNREAD = "unread"
