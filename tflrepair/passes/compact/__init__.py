"""Compacting: a file without what nothing needs."""
