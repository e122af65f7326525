"""What runtimes lack: against what the installed one runs, and tables that name sources."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import warm
from build import Build
from conftest import DATA, ROOT

from tflrepair.errors import UserError
from tflrepair.format.schema import BUILTIN_OPERATOR_NAMES
from tflrepair.graph.model import Model, from_bytes, load
from tflrepair.targets import tables
from tflrepair.targets.judge import Target, judge


def model(*kinds: str, version: int = 1) -> Model:
    build = Build()
    sub = build.sub("main")
    x = sub.input()
    for kind in kinds:
        out = sub.tensor()
        sub.op(kind, [x], [out])
        x = out
    sub.output(x)
    for row in build.model.operatorCodes:
        row.version = version
    return from_bytes(build.bytes())


def test_tables_hold_known_operators_only() -> None:
    known = set(BUILTIN_OPERATOR_NAMES.values())
    for names in (tables.MICRO, tables.LITERT, tables.GPU, tables.NNAPI):
        assert set(names) <= known
        assert len(names) > 90
    assert "CONV_2D" in tables.NNAPI
    assert "VAR_HANDLE" not in tables.NNAPI
    assert tables.MICRO["CONV_2D"] == "AddConv2D"
    assert all(low <= high for low, high in tables.LITERT.values())


def test_litert_has_what_its_own_converter_makes() -> None:
    """These files run under the installed LiteRT (tests/commands), so nothing may be missing."""
    for name in ("healthy", "f16", "flow", "table"):
        assert judge(load(DATA / f"{name}.tflite"), "litert").ok, name


def test_litert_lacks_flex_custom_and_newer_versions() -> None:
    found = judge(load(DATA / "half.tflite"), "litert")
    assert {row.kind for row in found.lacking} >= {"FlexVarHandleOp", "FlexReadVariableOp"}
    (row,) = judge(model("MyOp"), "litert").lacking
    assert "custom operator" in row.why
    (row,) = judge(model("NEG", version=99), "litert").lacking
    assert "version 99" in row.why
    assert judge(model("TFLite_Detection_PostProcess"), "litert").ok


def test_tflm_resolver_to_paste() -> None:
    found = judge(model("NEG", "TANH", "NEG", "SEGMENT_SUM"), "tflm")
    assert [row.kind for row in found.lacking] == ["SEGMENT_SUM"]
    assert found.resolver == (
        "tflite::MicroMutableOpResolver<2> resolver;",
        "resolver.AddNeg();",
        "resolver.AddTanh();",
        "// missing: SEGMENT_SUM",
    )
    assert "micro_mutable_op_resolver.h" in found.source


def test_gpu_names_what_stays_on_the_cpu() -> None:
    found = judge(load(DATA / "healthy.tflite"), "gpu")
    assert {"VAR_HANDLE", "READ_VARIABLE"} <= {row.kind for row in found.lacking}


def test_nnapi_names_what_stays_on_the_cpu() -> None:
    found = judge(model("CUMSUM", "NEG", "SEGMENT_SUM"), "nnapi")
    assert [row.kind for row in found.lacking] == ["CUMSUM", "SEGMENT_SUM"]
    assert "nnapi_delegate.cc" in found.source
    assert "Android 15" in found.notes[0]


@pytest.mark.parametrize("name", ["npu", "toaster"])
def test_no_table_no_guess(name: str) -> None:
    with pytest.raises(UserError, match="no table of the target") as caught:
        judge(model("NEG"), name)
    assert all(str(target) in str(caught.value.hint) for target in Target)


@pytest.mark.runs
def test_the_command(tmp_path: Path) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line("scan", *arguments, cwd=ROOT)

    done = cli("tests/data/healthy.tflite", "--target", "tflm")
    assert "resolver.AddVarHandle();" in done.stdout
    done = cli("tests/data/half.tflite", "--target", "litert", "--format", "json")
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["results"][0]["targets"]
    assert not row["ok"]
    assert row["lacking"][0]["why"]


def test_what_measures_the_arena_is_named() -> None:
    from tflrepair.report.style import Style
    from tflrepair.report.target_text import lines

    sound, lacking = judge(model("CONV_2D"), "tflm"), judge(model("WHERE", "LSTM"), "tflm")
    assert "  arena: `pip install tflite-micro`, and it is measured" in lines(
        sound, None, Style(), 80
    )
    assert not any("arena" in line for line in lines(lacking, None, Style(), 80))
    assert not any("arena" in line for line in lines(judge(model("NEG"), "gpu"), None, Style(), 80))
