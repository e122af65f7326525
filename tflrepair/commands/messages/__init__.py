"""Error texts of runtimes and converters, and what they mean."""

from __future__ import annotations

from tflrepair.commands.messages import converting, devices, running
from tflrepair.commands.messages.message import Message

__all__ = ["GENERAL", "MESSAGES", "Message"]

MESSAGES = (*running.MESSAGES, *converting.MESSAGES, *devices.MESSAGES)

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
