"""A model as functions of steps."""
