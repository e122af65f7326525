"""Turn the docstrings of all checks into docs/checks.md.

python docs/generate_checks.py            write the page
python docs/generate_checks.py --check    exit 1 if the page is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tflrepair.commands.explain import explain, overview  # noqa: E402

TARGET = HERE / "checks.md"


def render() -> str:
    rows = overview()
    out = [
        "# Checks",
        "",
        "Made by `python docs/generate_checks.py` from the checks' own words, as `tflrepair",
        "explain` prints them. Codes TFS are about SavedModels, before a conversion.",
        "",
        "| code | severity | |",
        "|---|---|---|",
        *(
            f"| [{code}](#{code.lower()}) | {severity} | {first} |"
            for code, severity, first in rows
        ),
    ]
    for code, _, _ in rows:
        title, _, body = explain(code).partition("\n")
        out += ["", f"## {code}", "", title.split(": ", 1)[1], body.rstrip()]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    wanted = render()
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted else 1)
    TARGET.write_text(wanted, encoding="utf-8")
