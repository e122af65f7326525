"""Lowerings of operators on tensors of any shape, on variables and on lists of tensors."""
