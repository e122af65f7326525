"""Where the bytes of a file come from: memory, a local file, a server."""
