"""`fix` and what it consists of."""
