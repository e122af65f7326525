"""Tracing a plan with lowerings: what is known folds, loops over tensor lists unroll."""
