"""What `show` found, as text and as data."""
