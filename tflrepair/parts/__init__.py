"""Cutting a smaller model out of a model, one that runs alone."""
