"""Variables of optimizers: documented starts and saved state."""
