"""Ways of looking at a model: tensors with their parts, options, values, sizes, metadata."""
