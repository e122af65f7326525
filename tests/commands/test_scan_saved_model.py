"""What a conversion would lose, told from the SavedModel; the converter says if it does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import warm
from conftest import made
from contract import hold

from tflrepair.analysis.variables import analyse
from tflrepair.commands.scan_saved_model import explain, scan_saved_model
from tflrepair.errors import BadFileError
from tflrepair.graph.model import load

pytestmark = [pytest.mark.tf, pytest.mark.runs]


@pytest.mark.parametrize(
    ("maker", "folder", "codes"),
    [
        ("reported", "saved_model", ["TFS001", "TFS002", "TFS004", "TFS004"]),
        ("small", "saved_model", ["TFS001", "TFS002"]),
        ("plain", "order/saved_model", ["TFS001"]),
        ("plain", "partial/saved_model", ["TFS001"]),
        ("plain", "healthy/saved_model", []),
        ("plain", "half/saved_model", []),
        ("plain", "table/saved_model", []),
    ],
)
def test_codes(maker: str, folder: str, codes: list[str]) -> None:
    found = scan_saved_model(made(maker) / folder)
    assert [row.code for row in found.findings] == codes
    assert found.ok == (not codes)


@pytest.mark.parametrize(
    ("maker", "folder", "model"),
    [
        ("reported", "saved_model", "model.tflite"),
        ("small", "saved_model", "model.tflite"),
        ("plain", "healthy/saved_model", "healthy.tflite"),
        ("plain", "flow/saved_model", "flow.tflite"),
    ],
)
def test_the_converter_loses_just_these(maker: str, folder: str, model: str) -> None:
    """Variables of the converted file without a value are those that were foretold."""
    facts = scan_saved_model(made(maker) / folder).facts
    foretold = {
        name
        for names in facts.signatures.values()
        for name in names
        if name in facts.variables and name not in facts.restored
    }
    variables = analyse(load(made(maker) / model)).variables
    lost = {v.name for v in variables if v.initial is None and v.unset_in}
    assert lost == foretold


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\x00 not a protocol buffer")
    with pytest.raises(BadFileError, match=r"saved_model\.pb"):
        scan_saved_model(tmp_path)


def test_the_command() -> None:
    def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
        return warm.command_line(*arguments, kind="tensorflow")

    folder = str(made("small") / "saved_model")
    done = cli("scan", folder)
    assert done.returncode == 1
    assert "self._raw = [v.value for v in self.model.variables]" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines()[1:])) <= 80 + len(folder)
    found = json.loads(cli("scan", folder, "--format", "json").stdout)
    assert hold(found)["results"][0]["kind"] == "saved_model"
    assert "TFS002: A signature captures" in cli("explain", "tfs002").stdout


def test_every_code_is_explained() -> None:
    for number in range(1, 5):
        text = explain(f"TFS00{number}")
        assert text is not None
        for word in ("What:", "Why it matters:", "Example:", "How it is fixed:"):
            assert word in text
