"""The use cases, each as one function."""
