"""The child process of an audit: requests come on standard input, rows go to standard output.

A request is a line of JSON, and behind it the bytes of the model if ``size`` says that there are
some. Its answer is one line: the request's number, and the rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from tflrepair.audit.rows import Row
from tflrepair.audit.scanner import failed
from tflrepair.commands.scan import ScanResult, scan, scan_all
from tflrepair.errors import BadFileError, OutOfMemoryError, TflRepairError, TooDeepError
from tflrepair.graph.model import from_bytes
from tflrepair.report.contract.envelope import well_formed
from tflrepair.report.scan_json import item


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not print between the answers
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # and whatever reads does not read requests
    os.close(nothing)
    answers.write(b"[]\n")  # all is imported: the time of the first file begins
    answers.flush()
    while line := requests.readline():
        request = json.loads(line)
        size = request["size"]
        data = None if size is None else requests.read(size)
        answers.write(_answer(request, data) + b"\n")
        answers.flush()


def _answer(request: dict[str, Any], data: bytes | None) -> bytes:
    try:
        return json.dumps([request["number"], _rows(request, data)]).encode()
    except MemoryError:
        error = OutOfMemoryError("there is not enough memory to tell what is in it")
        return json.dumps([request["number"], [failed(request["path"], error)]]).encode()


def _rows(request: dict[str, Any], data: bytes | None) -> list[Row]:
    path = request["path"]
    checks = {name: request[name] for name in ("select", "ignore", "values")}
    try:
        found = list(_models(path, data, checks))
    except TflRepairError as error:
        return [failed(path, error)]
    except MemoryError:
        return [failed(path, OutOfMemoryError("there is not enough memory to read it"))]
    except RecursionError:
        return [failed(path, TooDeepError("is nested too deeply to be followed"))]
    except Exception as error:  # a mistake of ours or of a third-party check, told with the file
        return [failed(path, BadFileError(f"cannot be read: {type(error).__name__}: {error}"))]
    return found or [failed(path, BadFileError("holds no .tflite models"))]


def _models(path: str, data: bytes | None, checks: dict[str, Any]) -> Iterator[Row]:
    if data is not None:
        yield _row(path, scan(from_bytes(data, path), **checks))
        return
    for name, outcome in scan_all(path, **checks):
        yield failed(name, outcome) if isinstance(outcome, TflRepairError) else _row(name, outcome)


def _row(path: str, result: ScanResult) -> Row:
    found: dict[str, Any] = well_formed(dict(item(result)))
    path = well_formed(path)  # names of files need not be UTF-8, rows must be
    return {"path": path, "ok": bool(found["ok"]), "result": found, "error": None}


if __name__ == "__main__":
    main()
