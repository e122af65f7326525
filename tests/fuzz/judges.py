"""What runtimes say to the same bytes: LiteRT and tf.lite load them in child processes."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from typing import Any

_SECONDS = 60
_SECONDS_TO_START = 300  # importing TensorFlow on a busy machine


def _interpreter(runtime: str) -> Any:
    if runtime == "litert":
        from ai_edge_litert import interpreter
    else:
        from tensorflow.lite.python import interpreter
    return interpreter


def _serve(runtime: str, connection: Connection) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    module = _interpreter(runtime)
    kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    connection.send("ready")
    while True:
        data = connection.recv()
        if data is None:
            return
        try:
            module.Interpreter(model_content=data, experimental_op_resolver_type=kernels)
            connection.send("")
        except (ValueError, RuntimeError) as error:
            connection.send(str(error).strip() or "refused")


class Judge:
    """One runtime. Its loader verifies the flatbuffer (VerifyAndBuildFromBuffer) and builds the
    interpreter; no delegate is applied and nothing is allocated or run."""

    def __init__(self, runtime: str) -> None:
        self.runtime = runtime
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._here, there = self._context.Pipe()
        self._child = self._context.Process(target=_serve, args=(self.runtime, there), daemon=True)
        self._child.start()
        there.close()
        if not self._here.poll(_SECONDS_TO_START) or self._here.recv() != "ready":
            raise RuntimeError(f"{self.runtime} does not start")

    def refuses(self, data: bytes) -> str:
        """Why it does not load ``data``; empty if it does."""
        self._here.send(data)
        try:
            if self._here.poll(_SECONDS):
                return str(self._here.recv())
            reason = "it hangs"
            self._child.kill()
        except EOFError:
            reason = "it crashes"
        self._child.join()
        self._start()
        return reason

    def close(self) -> None:
        self._here.send(None)
        self._child.join()
