"""Checks of operators: what runs in vain, and what needs more than the builtin kernels."""
