"""A string has no end.

What: flatbuffer strings end with a zero byte; this one does not.

Why it matters: the flatbuffers verifier refuses the file: C code that reads the name would go on
into whatever follows.

Example: a tool that renamed a tensor in place with a longer name.

How it is fixed: fetch the file again, or convert the model again.
"""

CODE = "TFR105"
