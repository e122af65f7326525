"""The fold: MLIR folds constants, in a child process."""
