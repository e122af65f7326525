"""Makes docs/schemas/*.json of the types in tflrepair/report/contract; needs msgspec.

python docs/generate_schemas.py           writes them
python docs/generate_schemas.py --check   fails if they are not what the types say
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tflrepair.report.contract.commands import RESULTS
from tflrepair.report.contract.envelope import VERSION
from tflrepair.report.contract.parts import ErrorItem

FOLDER = Path(__file__).parent / "schemas"
ADDRESS = "https://json-schema.org/draft/2020-12/schema"


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema of what ``command`` prints."""
    types = (*RESULTS[command], ErrorItem)
    items, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    *results, error = items
    return {
        "$schema": ADDRESS,
        "$id": f"tflrepair/{command}/{VERSION}",
        "title": f"What `tflrepair {command} --format json` prints"
        if RESULTS[command]
        else "What a call prints that names no command",
        "type": "object",
        "required": ["schema", "ok", "exit_code", "results", "errors"],
        "properties": {
            "schema": {"const": f"tflrepair/{command}/{VERSION}"},
            "ok": {"type": "boolean", "description": "whether the exit code is 0"},
            "exit_code": {
                "type": "integer",
                "description": "0 fine, 1 problems found, 2 could not do it, "
                "128 and more: a signal",
            },
            "results": {"type": "array", "items": {"anyOf": results} if results else False},
            "errors": {"type": "array", "items": error},
        },
        "additionalProperties": False,
        "$defs": {name: closed(part) for name, part in sorted(parts.items())},
    }


def closed(part: dict[str, Any]) -> dict[str, Any]:
    """A part that has no fields but those of its type, with its docstring as one text."""
    told = {"description": inspect.cleandoc(part["description"])} if "description" in part else {}
    fixed = {"additionalProperties": False} if "properties" in part else {}
    return part | told | fixed


def texts() -> Iterator[tuple[Path, str]]:
    for command in RESULTS:
        text = json.dumps(schema(command), indent=1) + "\n"
        yield FOLDER / f"{command}-{VERSION}.json", text


def main(arguments: list[str]) -> int:
    stale = [
        path
        for path, text in texts()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path} is not what the types say: python docs/generate_schemas.py")
        return 1 if stale else 0
    for path, text in texts():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
