"""Training without Flex: what a raw TensorFlow operator computes, in operators that TFLite has.

registry          which function stands for which TensorFlow operator
images, tensors   those functions, a file for each family
trace             running a plan with them: what is known folds, loops over tensor lists unroll
choose            which signatures stay, what get_weights and set_weights hold
module, convert   the plan as a tf.Module, and that as a .tflite of builtin operators only
"""
