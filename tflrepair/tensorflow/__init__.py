"""Saving and converting with TensorFlow, in child processes."""
