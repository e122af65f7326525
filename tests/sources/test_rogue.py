"""Servers that mean harm: an error of ours that says the limit, and little is spent on them."""

from __future__ import annotations

import time

import pytest

import tflrepair
from sources.rogue import KINDS, SLOW, rogue
from tflrepair.errors import BadFileError
from tflrepair.sources import http, patience

SAID = {
    "redirect loop": "redirects more than 10 times",
    "redirect to a file": "file:///etc/passwd, which is not on the web",
    "endless range": "more than the 65536 bytes",
    "endless whole": "more than 67108864 bytes",
    "tiny chunks": "processor time",
    "endless until closed": "more than 67108864 bytes",
    "endless headers": "cannot be read",
    "endless 100 Continue": "processor time",
    "zipped range": "does not say which bytes",
    "zipped whole": "more than 67108864 bytes",
    "another range": "sent bytes 5 to 65540",
    "range of nothing": "does not say which bytes",
    "range of a huge number": "does not say which bytes",
    "range without a size": "does not say which bytes",
    "short range": "cut short",
    "huge length": "4611686018427387904 bytes",
    "huge file": "truncated or corrupt",
    "noise": "cannot be read",
}


@pytest.mark.parametrize("kind", KINDS)
def test_harm_costs_little(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor time is that of the server, too."""
    monkeypatch.setattr(http, "_AGAIN", (0.01, 0.02))
    monkeypatch.setattr(patience, "_COMPUTING", 0.3)
    began = time.process_time()
    with rogue(kind) as address, pytest.raises(BadFileError, match=SAID[kind]) as caught:
        tflrepair.scan(address)
    assert time.process_time() - began < 4
    assert address in str(caught.value)


@pytest.mark.parametrize("kind", SLOW)
@pytest.mark.parametrize(
    ("limit", "said"), [("_ANSWER", "within 1 seconds"), ("_WHOLE", "must have sent 10,000")]
)
def test_a_server_that_drips(
    kind: str, limit: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never silent: each answer has its time, and the whole file has."""
    monkeypatch.setattr(patience, limit, 0.4)
    began = time.monotonic()
    with rogue(kind) as address, pytest.raises(BadFileError, match=said) as caught:
        tflrepair.scan(address)
    assert time.monotonic() - began < 20
    assert "download it first" in str(caught.value)
