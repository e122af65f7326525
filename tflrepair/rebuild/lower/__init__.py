"""Training without Flex: what a raw TensorFlow operator computes, in operators that TFLite has.

registry       which function stands for which TensorFlow operator
kept           operators that the converter maps to builtins by itself
geometry       windows, spreading and padding, which the families share
activations, broadcast, conv, depthwise, ...   the lowerings, a file for each family
tracer         running a plan with them: constants fold, loops over tensor lists unroll
module, convert   the plan as a tf.Module, and that as a .tflite of builtin operators only
"""
