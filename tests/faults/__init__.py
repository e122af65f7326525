"""Faults on purpose: ``make faults`` kills, fills, cuts short, forges, and counts what is left."""
