"""The rebuilt module as Python text."""
