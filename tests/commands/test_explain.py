"""explain: codes, and error texts as runtimes and converters print them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import warm
from conftest import DATA, ROOT

from tflrepair.commands.explain import explain, overview
from tflrepair.commands.messages import MESSAGES
from tflrepair.errors import UserError

pytestmark = pytest.mark.runs

# as printed by TensorFlow 2.18 to 2.21, LiteRT 2.3 and tflite-micro
PRINTED = {
    "read_variable.cc:67 variable != nullptr was not true.Node number 2": "TFR001",
    "tensorflow/lite/kernels/read_variable.cc:67 variable != nullptr was not true.": "TFR001",
    "RuntimeError: Select TensorFlow op(s), included in the given model, is(are) not supported by "
    "this interpreter. Make sure you apply/link the Flex delegate before inference.": "TFR026",
    "Encountered unresolved custom op: Convolution2DTransposeBias.\nSee instructions: h": (
        "Convolution2DTransposeBias"
    ),
    "Didn't find op for builtin opcode 'FULLY_CONNECTED' version '12'. An older version": (
        "FULLY_CONNECTED version 12"
    ),
    "Mismatching shapes: existing tensor = [1280], trying to add name bias, shape = [62]": "TFR012",
    "ValueError: Model provided has model identifier '<!do', should be 'TFL3'": "<!do",
    "Cannot set tensor: Dimension mismatch. Got 3 but expected 4 for dimension 0 of input 0.": (
        "resize_tensor_input"
    ),
    "Failed to resize buffer. Requested: 20432, available 1000, missing: 19432": "20432 bytes",
    "Node number 12 (CONV_2D) failed to prepare.": "--around 12",
}
# as people paste them: logcat and absl prefixes, wrapped lines, escaped or typographic characters
PASTED = {
    "E/tflite  (12345): third_party/tensorflow/lite/kernels/read_variable.cc:67 variable != "
    "nullptr was\n not true.\nE/tflite (1): Node number 2 (READ_VARIABLE) failed.": "TFR001",
    "java.lang.IllegalArgumentException: Internal error: Failed to run on the given Interpreter: "
    "external/org_tensorflow/tensorflow/lite/kernels/read_variable.cc:69 variable != nullptr was "
    "not true.": "TFR001",
    "2026-11-25 23:10:11.123 1234-1250/com.app E/tflite: Encountered unresolved custom op: FlexErf."
    "\nSee instructions: https://www.tensorflow.org/lite/guide/ops_custom": "Flex delegate",
    "ERROR: Encountered unresolved\ncustom op: AddSign.": "custom operator AddSign",
    "Cannot create interpreter: Didn\u2019t find op for builtin opcode \u2018CONV_2D\u2019 version "
    "\u20186\u2019.": "CONV_2D version 6",
    "I0000 00:00:1795651539.846318   20171 subgraph.cc:1200] Didn't find op for builtin opcode\n"
    "   'FULLY_CONNECTED' version '12'.": "FULLY_CONNECTED version 12",
    "error: \\nRegular TensorFlow ops are not supported by this\\ninterpreter.": "TFR026",
    "ValueError: Cannot set tensor: Got value of type UINT8\nbut expected type FLOAT32 for input "
    "0, name: serving_default_x:0 ": "element type",
    "java.lang.IllegalArgumentException: Cannot copy to a TensorFlowLite tensor (input_1) with "
    "602112 bytes from a Java Buffer with 150528 bytes.": "four times",
    "Cannot convert between a TensorFlowLite tensor with type FLOAT32 and a Java object of type "
    "[[[[B (which is compatible with the TensorFlowLite type UINT8).": "holds FLOAT32",
    "Error while reading resource variable dense/kernel from Container: localhost. This could mean "
    "that the variable was uninitialized.": "dense/kernel",
    "error: 'tf.Conv2DBackpropInput' op is neither a custom op nor a flex op": "SELECT_TF_OPS",
    "'tf.TensorListReserve' op requires element_shape to be static during TF Lite transformation "
    "pass": "_experimental_lower_tensor_list_ops",
    "ByteBuffer is not a valid flatbuffer model": "noCompress",
    "Following operations are not supported by GPU delegate:\nGATHER: Operation is not": (
        "--target gpu"
    ),
}


# as printed by kernels of LiteRT 2.3 and tflite-micro, TensorFlow's Python and Coral's
MORE = {
    "ValueError: Failed to load delegate from libedgetpu.so.1": "library libedgetpu.so.1",
    "Tried to export a function which references an 'untracked' resource.": "assign the object",
    "None is only supported in the 1st dimension.": "batch",
    "Type UINT8 (3) not supported.": "tensors of this type",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.": "no error",
    "tensorflow/lite/micro/kernels/space_to_depth.cc:53 data_type == kTfLiteFloat32 || data_type "
    "== kTfLiteInt8 was not true.": "check in space_to_depth.cc",
    "tensorflow/lite/kernels/conv.cc:343 input->dims->data[3] != filter->dims->data[3] (3 != 4)": (
        "check in conv.cc"
    ),
    "kernel_util.cc:364 d1 == d2 || d1 == 1 || d2 == 1 was not true.Node number 24 (ADD) failed to "
    "prepare.": "--around 24",
}

# found in public issues, of the repository that is named with each
PUBLIC = {
    # tensorflow/tensorflow 32110
    "Internal error: Unexpected failure when preparing tensor allocations: tensorflow/lite/kernels/"
    "conv.cc:235 input->dims->size != 4 (1 != 4)Node number 0 (CONV_2D) failed to prepare.": (
        "`input->dims->size` and `4` must be equal, and are 1 and 4"
    ),
    # tensorflow/tensorflow 23044
    "tensorflow/contrib/lite/kernels/conv.cc:201 filter->type != data_type (3 != 1)\n"
    "Node 1 failed to prepare.": "--around 1 ",
    # tulasiram58827/craft_tflite 8
    "space_to_batch_nd.cc:83 final_dim_size % block_shape[dim] != 0 (4 != 0)Node number 66 "
    "(SPACE_TO_BATCH_ND) failed to prepare.Failed to apply the default TensorFlow Lite delegate "
    "indexed at 0.": "must be equal, and are 4 and 0",
    # xuannianz/EfficientDet 58
    "Encountered unresolved custom op: Enter.Node number 8 (Enter) failed to prepare": (
        "the custom operator Enter, whose"
    ),
    # tensorflow/tensorflow 57860
    "Error Must call allocateTensors().": "call allocate_tensors() first",
    # google-ai-edge/litert-torch 305
    "error: failed to legalize operation 'tfl.pow' that was explicitly marked illegal": (
        "no rule that replaces tfl.pow"
    ),
    # tensorflow/tensorflow 37134
    "list of operators for which you will need custom implementations: StatelessWhile, "
    "TensorListFromTensor, TensorListReserve, TensorListStack, While.": "SELECT_TF_OPS",
    # tensorflow/tflite-micro 1249, tensorflow/tensorflow 39673
    "Failed to allocate temp memory. Requested: 1024, available 456, missing: 568": "1024 bytes",
    "Failed to allocate memory. Requested: 400, available 264, missing: 136": "400 bytes",
    # tensorflow/tensorflow 31720 and 35378
    "WARNING: 25 cannot be handled by this delegate.  Only the first 30 ops will run on the GPU, "
    "and the remaining 1 on the CPU": "--target gpu",
    "First 2 operations will run on the GPU, and the remaining 249 on the CPU.": "--target gpu",
    "NN API returned error ANEURALNETWORKS_BAD_DATA at line 4128 while adding operation.": "NNAPI",
    "gather index out of boundsNode number 2 (GATHER) failed to invoke.": "--op GATHER",
    "java.lang.IllegalArgumentException: Invalid input Tensor index: 1": "uses input 1",
    'java.lang.UnsatisfiedLinkError: dlopen failed: library "libtensorflowlite_jni.so" not found': (
        "abiFilters"
    ),
}


def _every_line_of_logcat(text: str) -> str:
    stamp = "11-26 02:00:01.123  1234  1250 E tflite  : "
    return "\n".join(stamp + line for line in text.splitlines())


VARIED = {
    "logcat": _every_line_of_logcat,
    "absl": lambda text: "E0000 00:00:1795651539.846318   20171 subgraph.cc:1200] " + text,
    "another line": lambda text: re.sub(r"(\.(?:cc|h)):\d+", r"\1:98765", text),
    "a word a line": lambda text: "\n   ".join(text.split()),
    "cut by a terminal": lambda text: "\n".join(re.findall(r".{1,21}", text.replace("\n", " "))),
    "quoted in a mail": lambda text: "\n".join(f"> {row}" for row in text.splitlines()),
    "red": lambda text: f"\x1b[1;31m{text}\x1b[0m",
    "typographic": lambda text: re.sub("'(.*?)'", "\u2018\\1\u2019", text),
    "escaped": lambda text: text.replace("\n", "\\n"),
    "in the middle": lambda text: f"I ran it and then\n\n{text}\n\nwhat now? Thanks!",
    "spaces": lambda text: f"  {text.replace(' ', '   ')}\r\n",
}
EVERY = {**PRINTED, **PASTED, **MORE, **PUBLIC}


@pytest.mark.parametrize("vary", VARIED.values(), ids=list(VARIED))
@pytest.mark.parametrize("plain", EVERY, ids=lambda text: text[:30])
def test_error_texts_changed_on_the_way(plain: str, vary: Callable[[str], str]) -> None:
    assert EVERY[plain] in explain(vary(plain))


def test_a_general_answer_gives_way_to_an_exact_one() -> None:
    for text in (*PRINTED, *PASTED):
        assert "was given tensors that it does not take" not in explain(text)


@pytest.mark.parametrize("pasted", PASTED, ids=lambda text: text[:30])
def test_error_texts_as_they_are_pasted(pasted: str) -> None:
    assert PASTED[pasted] in explain(pasted)


@pytest.mark.parametrize("printed", PRINTED, ids=lambda text: text[:30])
def test_error_texts(printed: str) -> None:
    assert PRINTED[printed] in explain(printed)


def test_the_runtime_that_is_installed_says_so(tmp_path: Path) -> None:
    """What LiteRT really prints for a broken file is known."""
    script = (
        "import sys\nfrom ai_edge_litert.interpreter import Interpreter, OpResolverType as R\n"
        "i = Interpreter(model_path=sys.argv[1], experimental_op_resolver_type="
        "R.BUILTIN_WITHOUT_DEFAULT_DELEGATES)\ni.allocate_tensors()\ni.invoke()"
    )
    command = [sys.executable, "-c", script, str(DATA / "partial.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TFR001" in explain(done.stderr.strip().splitlines()[-1])
    command[-1] = str(DATA / "half.tflite")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TFR026" in explain(done.stderr)


def test_at_least_twenty_and_each_complete() -> None:
    assert len(MESSAGES) >= 20
    for row in MESSAGES:
        re.compile(row.pattern)
        assert row.source and row.means and row.do


def test_what_is_not_known() -> None:
    with pytest.raises(UserError, match="is not known"):
        explain("the cat sat on the mat")
    with pytest.raises(UserError, match="no check"):
        explain("TFR999")


def test_all_codes_are_listed() -> None:
    rows = overview()
    assert [code for code, _, _ in rows][:2] == ["TFR001", "TFR002"]
    assert rows[-1][0] == "TFS004"
    done = warm.command_line("explain")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(rows)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_page_of_checks_is_current() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate_checks.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
