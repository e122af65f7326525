"""What can tell layers of a file apart: graphs, names of attributes, gaps, order of creation."""
