"""What `diff` found, as text and as data."""
