"""What each runtime lacks of what a model needs, from tables that name their sources."""
