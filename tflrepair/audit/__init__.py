"""Scan very many models with Apache Beam: a transform from paths to results, and a tally.

    import apache_beam as beam
    from tflrepair import audit

    with beam.Pipeline() as pipeline:
        rows = pipeline | beam.Create(["a.tflite", "gs://bucket/b.tflite"]) | audit.Scan()
        rows | beam.CombineGlobally(audit.Tally()) | beam.Map(print)

Needs the extra ``beam`` (``pip install 'tflrepair[beam,remote]'``).
"""

from __future__ import annotations

from tflrepair.audit.rows import Row, Summary, summary
from tflrepair.audit.transform import Scan, Tally

__all__ = ["Row", "Scan", "Summary", "Tally", "summary"]
