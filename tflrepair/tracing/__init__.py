"""The values inside a run: what each operator's outputs hold, from the builtin kernels."""
