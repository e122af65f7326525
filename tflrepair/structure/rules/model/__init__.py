"""Rules about the model: its graph, its signatures, its operators."""
