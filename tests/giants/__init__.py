"""Models that are larger than any other test's: ``make large`` makes them and measures."""
