"""Holding JSON against the published schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
from conftest import ROOT

from tflrepair.report.contract.envelope import envelope

SCHEMAS = ROOT / "docs" / "schemas"


def hold(answer: Mapping[str, Any]) -> dict[str, Any]:
    """``answer``, which must follow the schema that it names."""
    found: dict[str, Any] = json.loads(json.dumps(answer, allow_nan=False))
    _, name, version = found["schema"].split("/")
    schema = json.loads((SCHEMAS / f"{name}-{version}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def hold_item(command: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """One result of ``command``, held the same way."""
    found: dict[str, Any] = hold(envelope(command, 0, [item]))["results"][0]
    return found
