"""Checks of hash tables."""
