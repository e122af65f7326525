"""What to rebuild from: the .tflite, a SavedModel, the source."""
