"""Ask LiteRT which versions of which builtin operators it has, and write them down.

    python schema/probe_versions.py            write tflrepair/format/versions.py
    python schema/probe_versions.py --check    exit 1 if it is not what would be written

For each operator and version a model with that operator code and nothing else is loaded by
``ai_edge_litert`` without delegates. What it refuses ("Didn't find op for builtin opcode"), no
program can run with it. Made with ai-edge-litert 2.3.0; tf.lite of TensorFlow 2.21 has no more.
"""

from __future__ import annotations

import sys
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as fb
from ai_edge_litert.interpreter import Interpreter, OpResolverType

TARGET = Path(__file__).resolve().parent.parent / "tflrepair" / "format" / "versions.py"
HIGHEST = 40  # the highest version of LiteRT 2.3 is 14
HEAD = '''"""Builtin operators that LiteRT runs. Made by schema/probe_versions.py; do not edit.

VERSIONS has the lowest and highest version of each operator; what is not in it, no build of the
interpreter for Python loads.
"""

from typing import Final

VERSIONS: Final[dict[int, tuple[int, int]]] = {
'''


def model(code: int, version: int) -> bytes:
    whole, graph, tensor = fb.ModelT(), fb.SubGraphT(), fb.TensorT()
    tensor.shape = [1]
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    row = fb.OperatorCodeT()
    row.builtinCode, row.deprecatedBuiltinCode, row.version = code, min(code, 127), version
    whole.version, whole.subgraphs, whole.operatorCodes = 3, [graph], [row]
    whole.buffers = [fb.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def loads(code: int, version: int) -> bool:
    try:
        Interpreter(
            model_content=model(code, version),
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
    except (ValueError, RuntimeError):
        return False
    return True


def render() -> str:
    text = HEAD
    operators = {v: k for k, v in vars(fb.BuiltinOperator).items() if isinstance(v, int)}
    for code, name in sorted(operators.items()):
        versions = [version for version in range(HIGHEST) if loads(code, version)]
        if versions:
            if versions != list(range(versions[0], versions[-1] + 1)):
                raise SystemExit(f"{name} has gaps between its versions: {versions}")
            text += f"    {code}: ({versions[0]}, {versions[-1]}),  # {name}\n"
    return text + "}\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(TARGET.read_text(encoding="utf-8") != render())
    TARGET.write_text(render(), encoding="utf-8")
