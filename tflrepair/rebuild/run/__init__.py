"""Running the rebuilt module."""
