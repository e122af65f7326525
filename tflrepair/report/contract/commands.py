"""Which command prints which results, and the version of its schema.

The version goes up when a field goes or changes its meaning; a new field leaves it as it is. The
schemas of old versions stay in docs/schemas.
"""

from __future__ import annotations

from tflrepair.report.contract.diff import DiffItem
from tflrepair.report.contract.fix import FixItem, PythonItem
from tflrepair.report.contract.scan import SavedModelItem, ScanItem
from tflrepair.report.contract.show import ShowItem
from tflrepair.report.contract.small import (
    ConvertItem,
    ExplainItem,
    ExtractItem,
    StateItem,
    StepItem,
    TrainItem,
)
from tflrepair.report.contract.verify import VerifyItem

RESULTS: dict[str, tuple[type, ...]] = {
    "add-state": (StateItem,),
    "convert": (ConvertItem,),
    "demo": (StepItem,),
    "diff": (DiffItem,),
    "error": (),  # a call that names no command
    "explain": (ExplainItem,),
    "extract": (ExtractItem,),
    "fix": (FixItem,),
    "rebuild": (FixItem, PythonItem),
    "scan": (ScanItem, SavedModelItem),
    "show": (ShowItem,),
    "train": (TrainItem,),
    "verify": (VerifyItem,),
}
