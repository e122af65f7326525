"""What the command line offers, as functions of a model; each gives a frozen result."""
