"""What the converter, the quantizer and saving print."""

from __future__ import annotations

from tflrepair.commands.messages.message import Message

MESSAGES = (
    Message(
        r"Max and min for dynamic tensors should be",
        "tensorflow/lite/tools/optimize/quantize_model.cc",
        "full integer quantization lacks ranges: some tensor was never computed in calibration",
        "give a representative_dataset that reaches every branch and every signature",
    ),
    Message(
        r"Quantization not yet supported for op: '?(?P<name>\w+)",
        "tensorflow/lite/tools/optimize/quantize_model.cc",
        "the quantizer does not know {name} and may not leave it in float",
        "allow floats beside integers: supported_ops = [TFLITE_BUILTINS_INT8, TFLITE_BUILTINS]",
    ),
    Message(
        r"Some ops are not supported by the native TFLite runtime|failed while converting: '"
        r"|operators for which you will need custom implementations",
        "tensorflow/compiler/mlir/lite/flatbuffer_export.cc",
        "the converter met operators of TensorFlow that no builtin operator replaces",
        "replace them in the source, or add SELECT_TF_OPS, which needs the Flex delegate on the "
        "device (TFR026)",
    ),
    Message(
        r"'(?P<name>[\w.]+)' op is neither a custom op nor a flex op",
        "tensorflow/compiler/mlir/lite/flatbuffer_export.cc",
        "the converter met {name}, which no builtin operator replaces",
        "replace it in the source, or add SELECT_TF_OPS, which needs the Flex delegate on the "
        "device (TFR026)",
    ),
    Message(
        r"requires element_shape to be static",
        "tensorflow/compiler/mlir/lite/transforms/lower_static_tensor_list.cc",
        "a list of tensors in a loop (RNN, tf.map_fn, tf.TensorArray) has elements of open shape",
        "fix the input shape (batch size 1), or convert with SELECT_TF_OPS and "
        "_experimental_lower_tensor_list_ops = False",
    ),
    Message(
        r"references an .?untracked.? resource",
        "tensorflow/python/saved_model/save.py",
        "a function uses a variable or table that no attribute of the module holds, so that it "
        "would not be saved with it",
        "assign the object to self in __init__; tflrepair explain TFR001 tells what is lost if not",
    ),
    Message(
        r"None is only supported in the 1st dimension",
        "tensorflow/lite/python/lite.py",
        "an input has an open dimension that is not the batch",
        "give the function an input_signature with fixed sizes, or batch size only as None",
    ),
    Message(
        r"failed to legalize operation '(?P<name>[\w.]+)'",
        "mlir/lib/Transforms/Utils/DialectConversion.cpp of LLVM",
        "the converter has no rule that replaces {name} for tensors of these types and shapes",
        "the message says where it stands in the source: cast its inputs to float32, fix open "
        "dimensions, or write it with other operators; SELECT_TF_OPS keeps one that begins with "
        "tf., which needs the Flex delegate on the device (TFR026)",
    ),
)
