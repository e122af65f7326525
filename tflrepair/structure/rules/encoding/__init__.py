"""What the walk itself finds: the encoding of the file."""
