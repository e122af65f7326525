"""What a model's graph tells of its layers."""
