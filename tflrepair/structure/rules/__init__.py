"""What must be true of a .tflite file, one rule a file, from TFR101 on."""
