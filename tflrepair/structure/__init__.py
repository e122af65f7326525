"""The whole file, verified before anything else reads it."""
