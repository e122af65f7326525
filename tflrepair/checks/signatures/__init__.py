"""Checks of what callers see: signatures and their tensors."""
