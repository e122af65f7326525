"""Libraries in native code that read weights: in a child process, within limits."""
