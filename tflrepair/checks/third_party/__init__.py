"""What is said of checks that other packages bring."""
