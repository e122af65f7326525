"""A model file as frozen objects, read when asked for."""
