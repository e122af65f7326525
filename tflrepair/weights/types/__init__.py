"""What matching is about: arrays, variables, layers, and the table of what went where."""
