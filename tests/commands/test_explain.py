"""explain: codes, and error texts as runtimes and converters print them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DATA, ROOT

from tflrepair.commands.explain import MESSAGES, explain, overview
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
    done = subprocess.run(
        [sys.executable, "-m", "tflrepair", "explain"], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == len(rows)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_page_of_checks_is_current() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate_checks.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
