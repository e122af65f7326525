"""The file has no end.

What: its tables refer to the same tables, lists or strings again and again, so that walking it
takes far longer than its size allows: more than 1,000,000 tables (the limit of the flatbuffers
verifier), more than 65,536 repeated ones that are also more than half of all, or lists that
overlap.

Why it matters: a few kilobytes can keep a reader busy for hours and fill its memory. The
limit on repeated tables is stricter than the verifier's; converters repeat none.

Example: 1,000 subgraphs that are all the same table with 999 operators.

How it is fixed: it is not; the file was made to waste time, or it is corrupt.
"""

CODE = "TFR107"
