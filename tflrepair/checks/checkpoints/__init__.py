"""Checks of the model's own save and restore."""
