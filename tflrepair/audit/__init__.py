"""Scan very many models with Apache Beam: a transform from paths to results, and a tally.

    import apache_beam as beam
    from tflrepair import audit

    with beam.Pipeline() as pipeline:
        rows = pipeline | beam.Create(["a.tflite", "gs://bucket/b.tflite"]) | audit.Scan()
        rows | beam.CombineGlobally(audit.Tally()) | beam.Map(print)

Needs the extra ``beam`` (``pip install 'tflrepair[beam,remote]'``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflrepair.audit.rows import Row, Summary, summary

if TYPE_CHECKING:
    from tflrepair.audit.transform import Scan, Tally

__all__ = ["Row", "Scan", "Summary", "Tally", "summary"]


def __getattr__(name: str) -> Any:
    """Beam, once it is needed: the process that reads models does without it."""
    if name not in ("Scan", "Tally"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tflrepair.audit import transform

    return getattr(transform, name)
