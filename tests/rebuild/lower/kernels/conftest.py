"""All of these import TensorFlow, so an environment without it must not even load them."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("tensorflow") else ["test_*.py"]
