"""A list or string runs past the end of the file.

What: the number of elements in front of a vector says that it is longer than the file.

Why it matters: runtimes refuse the file.

Example: the length of a weight was overwritten, or the file was cut off inside it.

How it is fixed: fetch the file again, or convert the model again.
"""

CODE = "TFR104"
