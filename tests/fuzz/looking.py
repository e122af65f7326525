"""The commands that only look at a model: every report of a scan, show, diff and extract."""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path

from fuzz import seeds
from tflrepair.errors import TflRepairError
from tflrepair.graph.model import Model, from_bytes

_WIDTH = 80


def reports(data: bytes, folder: Path, name: str) -> None:
    """What ``scan`` writes for other programs and as a page, --values and --target included."""
    from tflrepair.commands.scan import scan
    from tflrepair.report import fix_hints, scan_text, target_text
    from tflrepair.report.export import github, html, markdown, model_explorer, sarif
    from tflrepair.report.style import Style
    from tflrepair.targets.judge import Target, judge

    result = scan(from_bytes(data), values=True)
    scan_text.render(result, Style(), everything=True)
    html.render(result)
    json.dumps(model_explorer.to_dict(result))
    json.dumps(sarif.to_dict([("m.tflite", result.findings)], {}))
    deque(github.lines("m.tflite", result.findings), 0)
    deque(markdown.lines("m.tflite", markdown.facts(result), result.findings), 0)
    deque(fix_hints.lines(result, Style(), _WIDTH), 0)
    for target in Target:
        deque(target_text.lines(judge(result.model, target), None, Style(), _WIDTH), 0)


def show(data: bytes, folder: Path, name: str) -> None:
    """All of a model, then its operators, its tensors with values, and the first neighbours."""
    from tflrepair.commands.show import show as show_model
    from tflrepair.report.show import data as as_data
    from tflrepair.report.show import text
    from tflrepair.report.style import Style

    model = from_bytes(data)
    for asked in ({}, {"op": "*"}, {"tensor": "*"}, {"around": 0}):
        with suppress(TflRepairError):  # nothing of the kind is there
            shown = show_model(model, **asked)
            text.render(shown, Style(), width=_WIDTH, everything=True, values=True)
            json.dumps(as_data.item(shown, values=True))


@cache
def _sound(name: str) -> Model:
    return from_bytes(seeds.models()[name])


def diff(data: bytes, folder: Path, name: str) -> None:
    """The damaged model against the sound one, both ways."""
    from tflrepair.commands.diff import diff as diff_models
    from tflrepair.report.diff import data as as_data
    from tflrepair.report.diff import text
    from tflrepair.report.style import Style

    model = from_bytes(data)
    for pair in ((model, _sound(name)), (_sound(name), model), (model, model)):
        result = diff_models(*pair)
        deque(text.lines(result, Style(), width=_WIDTH, everything=True), 0)
        json.dumps(as_data.item(result))


def extract(data: bytes, folder: Path, name: str) -> None:
    """The weights in each format, and each signature as a model of its own."""
    from tflrepair.commands.extract import extract_part, extract_weights
    from tflrepair.report import extract_text

    model = from_bytes(data)
    for suffix in ("npz", "safetensors", "h5"):
        with suppress(TflRepairError):  # nothing to write
            found = extract_weights(model, folder / f"out.{suffix}", constants=True, force=True)
            deque(extract_text.weights_lines(found), 0)
    for signature in model.signatures[:3]:
        out = folder / "out.tflite"
        with suppress(TflRepairError):
            part = extract_part(model, out, signature=signature.key, force=True)
            deque(extract_text.part_lines(part), 0)
