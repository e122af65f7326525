"""The page in headless Chromium: `TFLREPAIR_CHROMIUM=chromium pytest tests/browser`."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as fb
from build import Build
from conftest import ROOT

from tflrepair.commands.scan import scan
from tflrepair.graph.model import from_bytes
from tflrepair.report.export import html

pytestmark = pytest.mark.runs

CHROMIUM = os.environ["TFLREPAIR_CHROMIUM"]


def dom(page: str, tmp_path: Path) -> str:
    """What the browser has made of the page once its script has run."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Uncaught" not in done.stderr
    return done.stdout


def test_the_sample(tmp_path: Path) -> None:
    result = scan(ROOT / "tflrepair" / "samples" / "broken.tflite")
    found = dom(html.render(result), tmp_path)
    assert found.count('class="finding ') == len(result.findings)
    assert found.count('<tr class="bad">') == len(result.analysis.variables)
    assert "<path d=" in found  # the drawing
    assert "<code>infer</code> reads 8 variables" in found
    assert "`" not in found.split('id="picture"')[0].split('id="words"')[1]
    assert re.search(r'class="row marked chosen"[^>]*>\s*8  READ_VARIABLE', found)


def test_10000_operators_keep_the_page_small(tmp_path: Path) -> None:
    build = Build()
    sub = build.sub("main", "serve")
    x = sub.input()
    for _ in range(10_000):
        out = sub.tensor()
        sub.op("NEG", [x], [out], fb.NegOptionsT())
        x = out
    sub.output(x)
    found = dom(html.render(scan(from_bytes(build.bytes()))), tmp_path)
    assert "10000 of 10000" in found
    assert 20 < found.count('role="option"') < 200


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    build = Build()
    evil = (
        "<img src=x onerror=document.title='gone'></script><script>document.title='gone'</script>"
    )
    sub = build.sub(evil, evil)
    x = sub.input()
    out = sub.tensor()
    sub.op("ADD", [x, sub.read(sub.handle(evil))], [out], fb.AddOptionsT())
    sub.output(out)
    found = dom(html.render(scan(from_bytes(build.bytes(), "m.tflite"))), tmp_path)
    assert "<title>m.tflite</title>" in found
    assert "<img" not in found


def test_backticks_without_a_partner_stay(tmp_path: Path) -> None:
    build = Build()
    sub = build.sub("main", "a`b")
    sub.output(sub.read(sub.handle("v")))
    found = dom(html.render(scan(from_bytes(build.bytes(), "m.tflite"))), tmp_path)
    assert "Signatures: <code>a</code>b`." in found


KEYS = """<script>
const press = (key, more) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
const told = [];
const say = () => told.push((document.activeElement.id || document.activeElement.className) + "=" +
  document.querySelector("#detail h3").textContent);
press("n"); say();
press("v"); say(); press("Escape");
press("/"); byId("ofilter").value = "mul"; search(); press("Enter"); say();
press("End"); say(); press("Home"); press("ArrowDown"); say();
press("v", { ctrlKey: true }); say();
document.title = told.join(" | ");
</script>"""


def test_the_keyboard_alone(tmp_path: Path) -> None:
    """Finding by finding, both searches, moving, and no key of the browser's own taken."""
    page = html.render(scan(ROOT / "tflrepair" / "samples" / "broken.tflite"))
    found = dom(page.replace("</body>", KEYS + "</body>"), tmp_path)
    title = re.search("<title>(.*)</title>", found)
    assert title is not None
    assert title[1].split(" | ") == [
        "finding error=8 READ_VARIABLE",
        "vfilter=8 READ_VARIABLE",
        "rows=12 MUL",
        "rows=27 ADD",  # the last that the search found
        "rows=15 MUL",
        "rows=15 MUL",
    ]
