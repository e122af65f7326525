"""Checks of operators: whether any runtime runs them, and what runs in vain."""
