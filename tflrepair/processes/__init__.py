"""Child processes with limits, which end when we end."""
