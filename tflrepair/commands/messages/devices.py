"""What delegates and TensorFlow Lite for Microcontrollers print."""

from __future__ import annotations

from tflrepair.commands.messages.message import Message

MESSAGES = (
    Message(
        r"Attempting to use a delegate that only supports static-sized tensors",
        "tensorflow/lite/core/subgraph.cc",
        "shapes of the graph depend on values, and the delegate needs them fixed",
        "fix the input shapes when converting; what depends on values has ? in its shape in "
        "tflrepair show MODEL --all",
    ),
    Message(
        r"Failed to (resize buffer|allocate (tail |temp )?memory)\. Requested: (?P<name>\d+)",
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
        r"Arena size is too small",
        "tensorflow/lite/micro/micro_allocator.cc",
        "TFLM's tensor arena is too small for the tensors that live at the same time",
        "enlarge it; tflrepair scan MODEL --target tflm measures the need where tflite-micro is "
        "installed",
    ),
    Message(
        r"not supported by GPU delegate|Failed to apply (\w+ )?delegate|cannot be handled by this "
        r"delegate|(ops|operations) will run on the GPU",
        "tensorflow/lite/delegates/gpu/common/model_builder.cc",
        "the delegate does not take some operators, or not with these types and shapes",
        "tflrepair scan MODEL --target gpu lists the kinds that stay on the CPU; run without the "
        "delegate to see whether the model itself is right",
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
    Message(
        r"NN API returned error (?P<name>ANEURALNETWORKS_\w+)",
        "tensorflow/lite/delegates/nnapi/nnapi_delegate.cc",
        "Android's NNAPI or the driver behind it refused the model: {name}",
        "run without the delegate to see whether the model itself is right; tflrepair scan MODEL "
        "--target nnapi lists the kinds of operators that it never takes",
    ),
)
