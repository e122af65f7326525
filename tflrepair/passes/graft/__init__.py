"""The graft: initial values in front of the old file."""
