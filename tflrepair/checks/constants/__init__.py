"""Checks of constants: their values, and bytes that nobody needs."""
