"""Checks of resource variables."""
