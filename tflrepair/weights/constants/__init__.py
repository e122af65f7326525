"""Another .tflite as a source of weights: its variables, and its constants where that is proven."""
