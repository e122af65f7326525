"""What freeze and fold are made of: tracing handles, rewriting tables, MLIR in a child process."""
