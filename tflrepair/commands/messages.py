"""Error texts of runtimes and converters, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message: the pattern that knows it, where it comes from, what it means, what to do."""

    pattern: str
    source: str
    means: str
    do: str


MESSAGES = (
    Message(
        r"read_variable\.cc.*variable != nullptr|variable != nullptr was not true",
        "tensorflow/lite/kernels/read_variable.cc",
        "a variable is read that nothing has set: the file has no initial value for it, or no "
        "CALL_ONCE calls the initializer (TFR001, TFR002, TFR006)",
        "tflrepair scan MODEL, then tflrepair fix MODEL --weights FILE",
    ),
    Message(
        r"Select TensorFlow op\(s\)|Regular TensorFlow ops are not supported by this interpreter",
        "tensorflow/lite/core/subgraph.cc",
        "the model has Flex operators, and this runtime lacks the Flex delegate (TFR026); the "
        "wheels of TensorFlow since 2.19 and ai-edge-litert have none",
        "tflrepair scan MODEL --target litert lists them; tflrepair explain TFR026 tells more",
    ),
    Message(
        r"Encountered unresolved custom op: (?P<name>Flex\w+)",
        "tensorflow/lite/core/subgraph.cc",
        "{name} is an operator of TensorFlow itself, and this runtime lacks the Flex delegate "
        "(TFR026)",
        "tflrepair scan MODEL --target litert lists them; tflrepair explain TFR026 tells more",
    ),
    Message(
        r"Encountered unresolved custom op: (?!Flex)(?P<name>\S+?)\.?(\s|$)",
        "tensorflow/lite/core/subgraph.cc",
        "the model has the custom operator {name}, whose kernel the application must provide",
        "register the kernel with the interpreter, or convert again without allow_custom_ops, "
        "which says what cannot be expressed in builtin operators",
    ),
    Message(
        r"Didn't find op for builtin opcode '(?P<name>\w+)'( version '(?P<version>\d+)')?",
        "tensorflow/lite/core/api/op_resolver.cc",
        "this runtime has no kernel for {name}{version}: it is older than the converter, or a "
        "resolver that registers chosen operators only (TFLM) lacks it",
        "use a newer runtime, or add it to the resolver: tflrepair scan MODEL --target tflm",
    ),
    Message(
        r"Mismatching shapes: existing tensor|Overlapping slices: existing",
        "tensorflow/core/util/tensor_slice_set.cc",
        "a Save operator writes two tensors under one name (TFR012); Keras 3's v.name repeats",
        "tflrepair fix MODEL gives each its own name; in the source use v.path",
    ),
    Message(
        r"Model provided has model identifier '(?P<name>.*?)', should be",
        "tensorflow/compiler/mlir/lite/core/model_builder_base.h",
        "the file is not a .tflite model: bytes 4 to 8 are {name}, not TFL3",
        "tflrepair scan MODEL says what it really is (a web page, a Git LFS pointer, ...)",
    ),
    Message(
        r"The model is not a valid Flatbuffer",
        "tensorflow/compiler/mlir/lite/core/model_builder_base.h",
        "the file is truncated or damaged",
        "tflrepair scan MODEL says at which byte; fetch or convert the file again",
    ),
    Message(
        r"Could not open '(?P<name>[^']*)'",
        "tensorflow/compiler/mlir/lite/allocation.cc",
        "there is no readable file {name}",
        "check the path; in an Android application the asset must not be compressed "
        "(aaptOptions: noCompress tflite)",
    ),
    Message(
        r"Cannot set tensor: Got value of type (?P<name>\w+) but expected type (?P<version>\w+)",
        "tensorflow/lite/python/interpreter_wrapper/interpreter_wrapper.cc",
        "the input array has a different element type from the model's input",
        "convert it: array.astype(...); tflrepair show MODEL lists types, shapes and scales",
    ),
    Message(
        r"Cannot set tensor: Dimension mismatch",
        "tensorflow/lite/python/interpreter_wrapper/interpreter_wrapper.cc",
        "the input array has a different shape from the model's input",
        "add the batch dimension (array[None]), or interpreter.resize_tensor_input(...) and then "
        "allocate_tensors(); tflrepair show MODEL lists the shapes",
    ),
    Message(
        r"at least 1 reference to internal data",
        "tensorflow/lite/python/interpreter.py",
        "an array of interpreter.tensor(i)() is still alive while the interpreter must move memory",
        "copy what is needed (get_tensor copies), and let the view go",
    ),
    Message(
        r"Tensor data is null|Invoke called on model that is not ready",
        "tensorflow/lite/core/subgraph.cc",
        "the interpreter has no memory yet, or an earlier step failed",
        "call allocate_tensors() first, also after each resize_tensor_input()",
    ),
    Message(
        r"Attempting to use a delegate that only supports static-sized tensors",
        "tensorflow/lite/core/subgraph.cc",
        "shapes of the graph depend on values, and the delegate needs them fixed",
        "fix the input shapes when converting; what depends on values has ? in its shape in "
        "tflrepair show MODEL --all",
    ),
    Message(
        r"Invalid signature_key",
        "tensorflow/lite/python/interpreter.py",
        "the model has no signature of that name",
        "tflrepair show MODEL lists its signatures",
    ),
    Message(
        r"num_input_elements != num_output_elements",
        "tensorflow/lite/kernels/internal/reshape_utils.h",
        "a RESHAPE gets a different number of elements from the one it was converted for, usually "
        "because an input was resized although its size is fixed inside the graph",
        "convert with an open dimension ([None, ...]) where sizes must be able to change",
    ),
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
        r"Some ops are not supported by the native TFLite runtime|failed while converting: '",
        "tensorflow/compiler/mlir/lite/flatbuffer_export.cc",
        "the converter met operators of TensorFlow that no builtin operator replaces",
        "replace them in the source, or add SELECT_TF_OPS, which needs the Flex delegate on the "
        "device (TFR026)",
    ),
    Message(
        r"Failed to (resize buffer|allocate tail memory)\. Requested: (?P<name>\d+)",
        "tensorflow/lite/micro/arena_allocator",
        "TFLM's tensor arena is too small: {name} bytes were asked for",
        "enlarge it; tflrepair scan MODEL --target tflm measures the need where tflite-micro is "
        "installed",
    ),
    Message(
        r"Failed to get registration from op code (?P<name>\w+)|Missing registration for opcode",
        "tensorflow/lite/micro/micro_interpreter.cc",
        "the application's MicroMutableOpResolver lacks an operator",
        "tflrepair scan MODEL --target tflm prints the resolver to paste",
    ),
    Message(
        r"Node number (?P<name>\d+) \((?P<version>[\w:]+)\) failed to (prepare|invoke)",
        "tensorflow/lite/core/subgraph.cc",
        "operator {name}{version} refused its tensors; the line before says which condition failed",
        "tflrepair show MODEL --around {name} shows it and its neighbours",
    ),
    Message(
        r"from a Java (Buffer|object) with \d+ bytes|Cannot copy to a TensorFlowLite tensor",
        "tensorflow/lite/java/src/main/java/org/tensorflow/lite/TensorImpl.java",
        "the application hands over more or fewer bytes than the model's input has: usually a "
        "different image size, or bytes where the model takes floats (four times as many)",
        "tflrepair show MODEL lists types and shapes of the inputs",
    ),
    Message(
        r"Cannot copy from a TensorFlowLite tensor",
        "tensorflow/lite/java/src/main/java/org/tensorflow/lite/TensorImpl.java",
        "the array or buffer for the answer has a different size or shape from the model's output",
        "tflrepair show MODEL lists types and shapes of the outputs",
    ),
    Message(
        r"Cannot convert between a TensorFlowLite tensor with type (?P<name>\w+)",
        "tensorflow/lite/java/src/main/java/org/tensorflow/lite/TensorImpl.java",
        "the tensor holds {name}, and the application's array has another element type",
        "tflrepair show MODEL lists types and scales; quantized models take bytes",
    ),
    Message(
        r"hashtable need to be initialized",
        "tflite/experimental/resource/static_hashtable.cc",
        "a hash table is looked up before anything fills it (TFR009, TFR006)",
        "tflrepair scan MODEL says which, and whether the file has its contents",
    ),
    Message(
        r"Error while reading resource variable (?P<name>\S+)|Table not initialized",
        "tensorflow/core/kernels/resource_variable_ops.cc, initializable_lookup_table.cc",
        "a variable or table of the Flex delegate has no value (TFR028): {name}",
        "tflrepair scan MODEL, then tflrepair fix MODEL --weights FILE",
    ),
    Message(
        r"init_subgraph->(in|out)puts\(\)",
        "tflite/kernels/call_once.cc",
        "the initializer that CALL_ONCE runs takes inputs or gives outputs (TFR017)",
        "convert the model again; tflrepair explain TFR017 tells more",
    ),
    Message(
        r"not a valid flatbuffer model|Mmap of '\S+' at offset '\d+' failed",
        "tensorflow/lite/java/src/main/native/nativeinterpreterwrapper_jni.cc, mmap_allocation.cc",
        "the file is empty, truncated, damaged, or compressed inside the application's package",
        "tflrepair scan MODEL says at which byte; in Android: aaptOptions noCompress tflite",
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
        r"Arena size is too small",
        "tensorflow/lite/micro/micro_allocator.cc",
        "TFLM's tensor arena is too small for the tensors that live at the same time",
        "enlarge it; tflrepair scan MODEL --target tflm measures the need where tflite-micro is "
        "installed",
    ),
    Message(
        r"Input tensor (?P<name>\d+) lacks data",
        "tensorflow/lite/core/subgraph.cc",
        "input tensor {name} has no memory when the model is run",
        "call allocate_tensors() first, and set every input; tflrepair show MODEL lists them",
    ),
    Message(
        r"not supported by GPU delegate|Failed to apply (\w+ )?delegate",
        "tensorflow/lite/delegates/gpu/common/model_builder.cc",
        "the delegate does not take some operators, or not with these types and shapes",
        "tflrepair scan MODEL --target gpu lists the kinds that stay on the CPU; run without the "
        "delegate to see whether the model itself is right",
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
        r"Failed to load delegate from (?P<name>\S+)",
        "tensorflow/lite/python/interpreter.py",
        "the library {name} of a delegate cannot be loaded: it or the device that it drives is not "
        "there",
        "install it for this machine and this runtime's version; without it the model runs on the "
        "CPU, but for operators that only the delegate has: tflrepair scan MODEL --target litert",
    ),
    Message(
        r"Type (?P<name>\w+) \(\d+\) (is )?not supported|Type: (?P<version>\w+) \(\d+\) not supp",
        "tensorflow/lite/micro/kernels",
        "a kernel of this runtime has the operator, but not for tensors of this type",
        "the next line names the operator: tflrepair show MODEL --around N; convert to a type that "
        "it takes, mostly int8 or float32",
    ),
    Message(
        r"Created TensorFlow Lite XNNPACK delegate",
        "tensorflow/lite/delegates/xnnpack",
        "no error: from here on float operators are run by XNNPACK, which is the default",
        "nothing; but variables that were never set give NaN under it, not an error (TFR003)",
    ),
)

# What many kernels print in the same way; told only where nothing more exact is known
GENERAL = (
    Message(
        r"(?P<name>\w+\.(cc|h|cpp))(:\d+)? .+ (was not true|!= .+\(.+ != .+\))",
        "the kernel that it names: the macros TF_LITE_ENSURE in tensorflow/lite/core/c/common.h",
        "a check in {name} failed: an operator was given tensors that it does not take, of another "
        "shape, type or number",
        "the line with `Node number N` names the operator: tflrepair show MODEL --around N; "
        "tflrepair scan MODEL looks for what is wrong with the file",
    ),
)
