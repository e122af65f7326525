"""What every repair of a file shares: old tables in a new head, and the contract of a pass."""
