"""A table's list of fields is malformed.

What: each table refers to a list (the "vtable") that says where its fields are. This one lies
outside the file, has an impossible size, or places a field outside its table. The last is
stricter than the flatbuffers verifier, which allows a field anywhere in the file: no writer makes
that, and two tables would share bytes.

Why it matters: no field of the table can be read.

Example: a damaged or maliciously changed file.

How it is fixed: fetch the file again, or convert the model again.
"""

CODE = "TFR103"
