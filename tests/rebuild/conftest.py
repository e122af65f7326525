"""The rebuild's tests need TensorFlow and ai-edge-litert; without them there is nothing to test."""

from __future__ import annotations

import os
from importlib.util import find_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

if find_spec("tensorflow") is None or find_spec("ai_edge_litert") is None:
    collect_ignore_glob = ["test_*.py"]
