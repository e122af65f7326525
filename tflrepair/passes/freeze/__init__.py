"""The freeze: variables that nothing assigns become constants."""
