"""What the model itself tells about its variables."""
