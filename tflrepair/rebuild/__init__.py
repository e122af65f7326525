"""Rebuilding: a tf.Module that computes what the model computes, saved and converted anew.

ops       one plain TensorFlow function for each builtin operator
ir        the model as functions of steps: options and constants read, resource handles resolved
run       the steps as tf.functions over tf.Variables
emit      the steps, and the functions that they use, as a Python file
origins   what is rebuilt: the .tflite alone, a SavedModel, the user's own module
"""
