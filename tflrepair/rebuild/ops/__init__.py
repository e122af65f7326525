"""What each builtin operator computes, in TensorFlow."""
