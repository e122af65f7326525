"""A text is not UTF-8.

What: the bytes of a name or description are not valid UTF-8, the encoding of all flatbuffer
strings.

Why it matters: this rule is stricter than the flatbuffers verifier, which does not look.
Python's interpreters fail when they are asked for the names of tensors or signatures.

Example: damage inside a name; a name in another encoding, written by hand.

How it is fixed: convert the model again, with names in UTF-8.
"""

CODE = "TFR106"
