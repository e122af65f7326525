"""An offset leads nowhere.

What: a reference inside the file, which is a distance in bytes, leads to itself or to a place
past the end of the file.

Why it matters: whatever it should lead to is lost. Runtimes refuse the file; older ones read
memory that is not theirs.

Example: an upload that was cut off: tables at the front refer to buffers that are missing.

How it is fixed: fetch the file again, or convert the model again. `tflrepair scan --salvage`
shows what can still be read.
"""

CODE = "TFR101"
