"""How variables start that no file of weights holds."""
