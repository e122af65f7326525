"""Lowerings of operators on images: convolution, pooling, resizing, normalization."""
