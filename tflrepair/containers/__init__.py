"""Models inside folders, archives and bundles, each by its path."""
