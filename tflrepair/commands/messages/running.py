"""What interpreters print while they load and run a model, and the programs around them."""

from __future__ import annotations

from tflrepair.commands.messages.message import Message

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
        r"Encountered unresolved custom op: (?!Flex)(?P<name>\S+?)\.?(\s|$|Node number)",
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
        r"Tensor data is null|Invoke called on model that is not ready|Must call .?allocateTensors",
        "tensorflow/lite/core/subgraph.cc",
        "the interpreter has no memory yet, or an earlier step failed",
        "call allocate_tensors() first, also after each resize_tensor_input()",
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
        r"Node (number )?(?P<name>\d+)( \((?P<version>[\w:-]+)\))? failed to (prepare|invoke)",
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
        r"Input tensor (?P<name>\d+) lacks data",
        "tensorflow/lite/core/subgraph.cc",
        "input tensor {name} has no memory when the model is run",
        "call allocate_tensors() first, and set every input; tflrepair show MODEL lists them",
    ),
    Message(
        r"(?P<name>\w+\.(cc|h|cpp)):\d+ (?P<left>[^:]{1,100}?) != (?P<right>\S+) "
        r"\((?P<a>-?\w+) != (?P<b>-?\w+)\)",
        "the kernel that it names: TF_LITE_ENSURE_EQ in tensorflow/lite/core/c/common.h",
        "a check in {name} failed: `{left}` and `{right}` must be equal, and are {a} and {b}",
        "compare it with the operator's tensors: tflrepair show MODEL --around N, with the N of "
        "`Node number N`; `dims->size` is a number of dimensions, and of types 1 is FLOAT32, 2 "
        "INT32, 3 UINT8, 4 INT64, 9 INT8, 10 FLOAT16",
    ),
    Message(
        r"gather index out of bounds",
        "tensorflow/lite/kernels/gather.cc",
        "an index is larger than the table that it points into: most often a token or category "
        "that the model was not trained for, or an integer input that was never set",
        "print the largest value of the integer input; the table's size is in tflrepair show MODEL "
        "--op GATHER",
    ),
    Message(
        r"Invalid (?P<name>input|output) Tensor index: (?P<number>\d+)",
        "tensorflow/lite/java/src/main/java/org/tensorflow/lite/NativeInterpreterWrapper.java",
        "the application uses {name} {number}, counted from 0, and the model has fewer",
        "tflrepair show MODEL lists inputs and outputs; a converter may have joined equal outputs "
        "(TFR027)",
    ),
    Message(
        r"Failed to load native TensorFlow Lite methods|libtensorflowlite(_flex)?_jni\.so",
        "tensorflow/lite/java/src/main/java/org/tensorflow/lite/TensorFlowLite.java",
        "the application's package lacks the runtime's native library for this processor; the "
        "model is not the cause",
        "add the runtime's dependency (and tensorflow-lite-select-tf-ops for _flex_), and do not "
        "leave out this processor in abiFilters",
    ),
)
