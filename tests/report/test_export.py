"""Scans for other programs: SARIF, GitHub annotations, Markdown, Model Explorer, and a page."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import warm
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import DATA, ROOT

from tflrepair.commands.scan import ScanResult, scan
from tflrepair.errors import BadFileError
from tflrepair.graph.model import from_bytes
from tflrepair.report import fix_hints
from tflrepair.report.export import github, html, markdown, model_explorer, sarif

SAMPLE = ROOT / "tflrepair" / "samples" / "broken.tflite"
EVIL = "</script><script>alert(1)</script>@@data@@\x1b[31m::error::|<b>`x`"


def hostile() -> ScanResult:
    """Names that mean something in HTML, Markdown, workflow commands, terminals, our template."""
    build = Build()
    sub = build.sub(EVIL, EVIL)
    x = sub.input()
    handle = sub.handle(EVIL)
    out = sub.tensor()
    sub.table.tensors[out].name = EVIL
    sub.op("ADD", [x, sub.read(handle)], [out], fb.AddOptionsT())
    sub.output(out)
    return scan(from_bytes(build.bytes(), EVIL))


def test_sarif() -> None:
    """What the schema cannot say; test_sarif.py holds it against the schema."""
    rows = [(str(path), scan(path).findings) for path in (SAMPLE, DATA / "order.tflite")]
    found = sarif.to_dict(rows, {"bad.tflite": BadFileError("is empty")})
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert found["version"] == "2.1.0"
    assert len(run["results"]) == sum(len(findings) for _, findings in rows)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert {r["id"] for r in rules} == {r["ruleId"] for r in run["results"]}
    assert not run["invocations"][0]["executionSuccessful"]
    places = [r["locations"][0].get("logicalLocations", [{}])[0] for r in run["results"]]
    assert {"fullyQualifiedName": "subgraphs[0].operators[8]", "kind": "element"} in places


def test_sarif_uris_are_escaped() -> None:
    found = sarif.to_dict([("a b/ü\udcff.tflite", scan(SAMPLE).findings)], {})
    place = found["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%BC%FF.tflite"
    json.dumps(found).encode()


def test_github() -> None:
    lines = list(github.lines("m.tflite", scan(SAMPLE).findings))
    assert lines[0].startswith("::error file=m.tflite,title=TFR001::22 of 22 variables")
    assert "%0Aput the values back: tflrepair fix m.tflite --weights FILE" in lines[0]
    assert any(line.startswith("::notice ") for line in lines)
    result = hostile()
    for line in github.lines(EVIL, result.findings):
        assert "\n" not in line
        assert "\x1b" not in line
        assert line.index("::", 2) == line.index("::", line.index("title="))


def test_markdown() -> None:
    result = hostile()
    text = "\n".join(markdown.lines(EVIL, markdown.facts(result), result.findings))
    assert not re.search(r"(?<!\\)[<>`]", text)
    rows = [line for line in text.splitlines() if line.startswith("| error")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)


def test_model_explorer_marks_operators_by_index() -> None:
    result = scan(SAMPLE)
    found = model_explorer.to_dict(result)
    assert set(found) == {"infer", "train"}
    unset = [v for v in result.analysis.variables if v.unset_in]
    wanted = {str(s.operator) for v in unset for s in v.read_by if s.subgraph == 0}
    assert wanted <= set(found["infer"]["results"])
    assert all(row["bgColor"].startswith("#") for row in found["infer"]["results"].values())
    assert model_explorer.to_dict(scan(DATA / "healthy.tflite")) == {}


def data_of(page: str) -> Any:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert match is not None
    return json.loads(match[1])


@pytest.mark.parametrize("path", [SAMPLE, *sorted(DATA.glob("*.tflite"))], ids=lambda p: p.stem)
def test_page_holds_everything(path: Path) -> None:
    result = scan(path)
    page = html.render(result)
    data = data_of(page)
    assert len(data["findings"]) == len(result.findings)
    assert len(data["variables"]) == len(result.analysis.variables)
    assert [len(s["operators"]) for s in data["subgraphs"]] == [
        s.operator_count for s in result.model.subgraphs
    ]
    assert "@@" not in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)


def test_page_survives_hostile_names() -> None:
    page = html.render(hostile())
    assert page.count("<script") == 2
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "alert(1)" in data_of(page)["subgraphs"][0]["name"]


@pytest.mark.runs
def test_the_command(tmp_path: Path) -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line("scan", *arguments, cwd=tmp_path)

    done = cli(str(SAMPLE), "--html", "page.html", "--model-explorer", "nodes.json")
    assert done.returncode == 1
    assert data_of((tmp_path / "page.html").read_text())["findings"]
    assert set(json.loads((tmp_path / "nodes.json").read_text())) == {"infer", "train"}
    assert cli(str(SAMPLE), "--html", "page.html").returncode == 2  # it exists
    done = cli(str(SAMPLE), str(DATA / "order.tflite"), "--html", "two.html")
    assert done.returncode == 2
    assert "take one model" in done.stderr
    assert json.loads(cli(str(SAMPLE), "--format", "sarif").stdout)["version"] == "2.1.0"
    assert cli(str(SAMPLE), "--format", "github").stdout.startswith("::error")
    assert cli("none.tflite", "--format", "md").stdout.startswith("### none.tflite")


@pytest.mark.runs
@pytest.mark.parametrize(
    ("model", "threshold", "code"),
    [("healthy", "info", 0), ("half", "error", 0), ("order", "error", 1)],
)
def test_fail_on(model: str, threshold: str, code: int) -> None:
    done = warm.command_line("scan", str(DATA / f"{model}.tflite"), "--fail-on", threshold)
    assert done.returncode == code


@pytest.mark.runs
def test_fail_on_info(tmp_path: Path) -> None:
    """The same findings, none of them an error."""
    command = ["scan", str(DATA / "half.tflite"), "--select", "TFR026"]
    assert warm.command_line(*command).returncode == 0
    assert warm.command_line(*command, "--fail-on", "info").returncode == 1


def test_commands_can_be_pasted() -> None:
    """A path with a space is one word for a shell; MODEL inside another word stays."""
    result = scan(from_bytes(SAMPLE.read_bytes(), "my models/$x MODEL_2.tflite"))
    quoted = "tflrepair fix 'my models/$x MODEL_2.tflite' --weights FILE"
    found = sarif.to_dict([(result.model.path or "", result.findings)], {})
    assert quoted in found["runs"][0]["results"][0]["message"]["text"]
    assert quoted in next(github.lines(result.model.path or "", result.findings))
    assert quoted in data_of(html.render(result))["findings"][0]["hint"]
    path = result.model.path or ""
    table = "\n".join(markdown.lines(path, "", result.findings)).replace("\\", "")
    assert quoted in table
    assert "'my models/$x MODEL_2.tflite'" in fix_hints.to_dict(result)["TFR001"]
