"""Which array belongs to which variable."""
