"""Sources of bytes, and the files and servers that they are tried on."""
