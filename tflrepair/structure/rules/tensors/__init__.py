"""Rules about tensors: types, shapes, bytes, quantization."""
