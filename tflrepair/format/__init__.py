"""Bytes only: schema constants, bounds-checked reading, and writing new tables before old bytes.

Nothing in here knows what a variable is.
"""
