"""Each rule on a sound model with one thing wrong: its code and its path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as fb
from fuzz import seeds
from fuzz.judges import Judge

from tflrepair.checks.registry import explain
from tflrepair.structure.rules.registry import RULES
from tflrepair.structure.verify import verify

MODELS = seeds.models()
Edit = Callable[[Any], None]


def edited(name: str, edit: Edit) -> bytes:
    model = fb.ModelT.InitFromPackedBuf(MODELS[name], 0)
    edit(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def put(path: str, value: Any) -> Edit:
    """Set ``path``, written as in Python, of a model's object."""

    def edit(model: Any) -> None:
        exec(f"model.{path} = value", {"model": model, "value": value})

    return edit


def operator(model: Any, code: int) -> Any:
    codes = [i for i, row in enumerate(model.operatorCodes) if row.builtinCode == code]
    graphs = [row for graph in model.subgraphs for row in graph.operators]
    return next(row for row in graphs if row.opcodeIndex in codes)


def change(code: str, path: str, value: Any) -> Edit:
    """Set ``path`` of the first operator of a kind."""

    def edit(model: Any) -> None:
        found = operator(model, getattr(fb.BuiltinOperator, code))
        exec(f"row.{path} = value", {"row": found, "value": value})

    return edit


def call_itself(model: Any) -> None:
    model.subgraphs[2].operators[0] = operator(model, fb.BuiltinOperator.WHILE)
    model.subgraphs[2].operators[0].inputs = [0]
    model.subgraphs[2].operators[0].outputs = [1]


def twice(model: Any) -> None:
    model.signatureDefs.append(model.signatureDefs[0])


def strings(byte: int, value: int) -> Edit:
    """One byte of the table in front of two strings."""

    def edit(model: Any) -> None:
        data = bytearray(model.buffers[1].data)
        data[byte] = value
        model.buffers[1].data = list(data)

    return edit


SIGNATURE = "signatureDefs[0]"
QUANTIZED = "subgraphs[0].tensors[2].quantization"
LEVEL = "subgraphs[0].tensors[0].sparsity.dimMetadata[1]"
T0 = "subgraphs[0].tensors[0]"
CASES: list[tuple[str, str, str, Edit]] = [
    ("TFR108", "version", "healthy", put("version", 2)),
    ("TFR109", "subgraphs", "healthy", put("subgraphs", [])),
    ("TFR109", "subgraphs[0].tensors", "loop", put("subgraphs[0].tensors", None)),
    ("TFR109", "signature_defs[0].signature_key", "loop", put(f"{SIGNATURE}.signatureKey", None)),
    ("TFR109", "signature_defs[0].inputs", "loop", put(f"{SIGNATURE}.inputs", None)),
    ("TFR109", "subgraphs[0].operators[0].builtin_options", "loop",
     change("WHILE", "builtinOptions", None)),
    ("TFR109", "operator_codes[0].custom_code", "branch",
     put("operatorCodes[0]", fb.OperatorCodeT(32, None, 1, 32))),
    ("TFR110", "subgraphs[0].operators[0].inputs", "branch", change("IF", "inputs", [0, 99])),
    ("TFR110", "subgraphs[0].operators[0].outputs", "branch", change("IF", "outputs", [-1])),
    ("TFR110", "subgraphs[0].operators[0].opcode_index", "branch", change("IF", "opcodeIndex", 9)),
    ("TFR110", "subgraphs[0].operators[0].builtin_options.then_subgraph_index", "branch",
     change("IF", "builtinOptions.thenSubgraphIndex", -1)),
    ("TFR110", "subgraphs[0].inputs", "loop", put("subgraphs[0].inputs", [-1])),
    ("TFR110", "subgraphs[0].outputs", "loop", put("subgraphs[0].outputs", [7])),
    ("TFR110", "subgraphs[0].tensors[0].buffer", "loop", put(f"{T0}.buffer", 1000)),
    ("TFR110", "signature_defs[0].subgraph_index", "loop", put(f"{SIGNATURE}.subgraphIndex", 3)),
    ("TFR110", "signature_defs[0].inputs[0].tensor_index", "loop",
     put(f"{SIGNATURE}.inputs[0].tensorIndex", 50)),
    ("TFR110", "metadata[0].buffer", "healthy", put("metadata[0].buffer", 500)),
    ("TFR111", "subgraphs[0].tensors[0].type", "loop", put(f"{T0}.type", 100)),
    ("TFR111", "operator_codes[0].builtin_code", "loop",
     put("operatorCodes[0]", fb.OperatorCodeT(127, None, 1, 127))),
    ("TFR112", "subgraphs[0].tensors[0].shape", "branch", put(f"{T0}.shape", [-2])),
    ("TFR112", "subgraphs[0].tensors[0].shape_signature", "branch",
     put(f"{T0}.shapeSignature", [-2])),
    ("TFR112", "subgraphs[0].tensors[0].shape", "branch", put(f"{T0}.shape", [2**30] * 3)),
    ("TFR112", "subgraphs[0].tensors[0].shape", "branch", put(f"{T0}.shape", [1] * 65)),
    ("TFR113", "subgraphs[0].tensors[2].buffer", "quantized",
     put("subgraphs[0].tensors[2].shape", [3, 5])),
    ("TFR113", "subgraphs[0].tensors[2].is_variable", "quantized",
     put("subgraphs[0].tensors[2].isVariable", True)),
    ("TFR114", "subgraphs[0].tensors[0].buffer", "strings", put("buffers[1].data", [2, 0, 0])),
    ("TFR114", "subgraphs[0].tensors[0].buffer", "strings", strings(8, 90)),
    ("TFR114", "subgraphs[0].tensors[0].buffer", "strings", strings(3, 64)),
    ("TFR115", "subgraphs[0].tensors[0].sparsity", "sparse", put(f"{LEVEL}.arrayIndices.values",
                                                                 [0, 3])),
    ("TFR115", "subgraphs[0].tensors[0].sparsity", "sparse", put(f"{LEVEL}.arraySegments.values",
                                                                 [0, 2, 1])),
    ("TFR115", "subgraphs[0].tensors[0].sparsity", "sparse",
     put(f"{T0}.sparsity.traversalOrder", [1, 1])),
    ("TFR115", "subgraphs[0].tensors[0].sparsity", "sparse", put(f"{LEVEL}.format", 5)),
    ("TFR116", "subgraphs[0].tensors[2].quantization", "quantized",
     put(f"{QUANTIZED}.zeroPoint", [0])),
    ("TFR116", "subgraphs[0].tensors[2].quantization", "quantized",
     put(f"{QUANTIZED}.quantizedDimension", 1)),
    ("TFR116", "subgraphs[0].tensors[2].quantization", "quantized",
     put(f"{QUANTIZED}.scale", [1, 0, 1])),
    ("TFR116", "subgraphs[0].tensors[2].quantization", "blockwise",
     put(f"{QUANTIZED}.details.scales", 40)),
    ("TFR117", "buffers[1].offset", "strings", put("buffers[1]", fb.BufferT(None, 16, 10**6))),
    ("TFR118", "subgraphs[0].operators[0].outputs", "branch", change("IF", "outputs", [0])),
    ("TFR118", "subgraphs[0].operators[0].outputs", "quantized",
     change("FULLY_CONNECTED", "outputs", [2])),
    ("TFR119", "subgraphs[0].operators[0].inputs", "loop", change("WHILE", "inputs", [])),
    ("TFR119", "subgraphs[0].operators[0].inputs", "branch", change("IF", "inputs", [0, 0])),
    ("TFR119", "subgraphs[0].operators[8].inputs", "sample",
     change("READ_VARIABLE", "inputs", [0])),
    ("TFR119", "subgraphs[1].operators[0].inputs", "branch", change("NEG", "inputs", [0, 0])),
    ("TFR119", "subgraphs[0].operators[0].inputs", "quantized",
     change("FULLY_CONNECTED", "inputs", [0, -1, -1])),
    ("TFR119", "subgraphs[0].operators[2].inputs", "table",
     change("HASHTABLE", "builtinOptions.valueDtype", 0)),
    ("TFR120", "subgraphs[2].operators[0].builtin_options", "loop", call_itself),
    ("TFR121", "signature_defs[1].signature_key", "loop", twice),
    ("TFR122", "subgraphs[0].operators[0].builtin_options.new_shape", "options",
     change("RESHAPE", "builtinOptions.newShape", [1] * 9)),
    ("TFR122", "subgraphs[0].operators[0].custom_options", "options",
     change("RESHAPE", "customOptions", [1, 2])),
    ("TFR122", "subgraphs[0].operators[3].builtin_options.out_type", "options",
     change("SHAPE", "builtinOptions.outType", 99)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "path", "name", "edit"), CASES, ids=lambda v: v[:40] if isinstance(v, str) else "edit"
)
def test_rule(code: str, path: str, name: str, edit: Edit) -> None:
    found = verify(memoryview(edited(name, edit))).faults
    assert (code, path) in [(row.code, row.location.path) for row in found]


def test_every_rule_has_a_case() -> None:
    checking = {rule.CODE for rule in RULES if rule.CODE >= "TFR108"}
    assert {code for code, *_ in CASES} == checking


@pytest.mark.parametrize("name", MODELS)
def test_sound_models_are_sound(name: str) -> None:
    assert not verify(memoryview(MODELS[name])).faults
    assert not verify(memoryview(edited(name, lambda _: None))).faults


@pytest.mark.runs
def test_sound_models_load() -> None:
    judge = Judge("litert")
    assert {name: judge.refuses(data) for name, data in MODELS.items()} == dict.fromkeys(MODELS, "")
    judge.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.CODE)
def test_every_rule_explains_itself(rule: Any) -> None:
    text = explain(rule.CODE.lower())
    assert text.startswith(f"{rule.CODE}: ")
    for part in ("What:", "Why it matters:", "Example:", "How it is fixed:"):
        assert part in text
