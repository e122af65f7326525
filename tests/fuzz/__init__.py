"""Fuzzing: ``make fuzz MINUTES=n``. What it finds becomes a test beside the code that failed."""
