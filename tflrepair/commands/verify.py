"""Run a model and judge its answers: ``verify`` with every runtime that this package has."""

from __future__ import annotations

from tflrepair.execution.runtimes import Registered, register
from tflrepair.execution.verify import VerifyReport, verify

__all__ = ["VerifyReport", "verify"]

# TensorFlow running the module that is rebuilt from the file: it has every operator, Flex ones
# included, and no delegate.
register(
    Registered(
        name="tensorflow",
        needs="tf.lite",
        module="tflrepair.rebuild.run.interpreter",
        has_flex=True,
        delegates=("default",),
    )
)
