"""Something is not aligned.

What: a table, vector or number begins at a byte that is not a multiple of its size.

Why it matters: the flatbuffers verifier refuses the file, and some processors fault on it.

Example: a file that was edited by inserting bytes, or a download that changed line endings.

How it is fixed: fetch the file again, or convert the model again.
"""

CODE = "TFR102"
