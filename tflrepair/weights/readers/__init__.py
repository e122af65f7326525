"""One file for each kind of weights file."""
