"""What running showed: verify, train, add-state."""
