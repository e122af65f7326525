"""Checks of operators: whether any runtime runs them."""
