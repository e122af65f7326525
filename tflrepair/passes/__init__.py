"""One folder for each rewrite of a model."""
