"""Run a model under LiteRT in this process, in one interpreter, for tests of good files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


class Session:
    """One interpreter: variables keep their values from call to call."""

    def __init__(self, model: Path | bytes, delegate: bool = True) -> None:
        kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        data = model if isinstance(model, bytes) else model.read_bytes()
        self.interpreter = Interpreter(
            model_content=data, experimental_op_resolver_type=kind, num_threads=1
        )

    def run(self, signature: str, **inputs: Any) -> dict[str, Any]:
        result = self.interpreter.get_signature_runner(signature)(**inputs)
        return {name: np.array(value) for name, value in result.items()}


def rows(session: Session, x: Iterable[Any]) -> Any:
    """`infer` of one image at a time, stacked."""
    return np.concatenate([session.run("infer", x=row[None])["output"] for row in x])
