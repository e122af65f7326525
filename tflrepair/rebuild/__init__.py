"""Rebuilding: a tf.Module that computes what the model computes, saved and converted anew.

options, constants        what the file says about an operator and a tensor
registry, ops_*           one plain TensorFlow function for each builtin operator
coverage, flexops         what is refused up front; Flex operators as tf.raw_ops
steps, planner, walk*     the model as functions of steps, resource handles resolved
trace, initial, module    running the steps: tf.functions over tf.Variables
convert, reference        the module as a .tflite, and as something to run
emit*, sources, names     the steps and the functions that they use as a Python file
saved_model               rebuilding from a SavedModel
user_module, live_names   rebuilding from the user's own module
"""
