"""What may follow the graft: freezing, folding, or rebuilding with TensorFlow.

graft      nothing: exact, instant, needs nothing; every weight stays a variable
optimize   freeze what nothing assigns, then fold with litert-converter's MLIR
rebuild    a tf.Module over the same values, converted anew by TensorFlow
"""

from __future__ import annotations

from tflrepair.commands.fix.options import GRAFT, OPTIMIZE, REBUILD, STRATEGIES, RepairOptions
from tflrepair.errors import UserError
from tflrepair.passes.fold import fold
from tflrepair.passes.freeze.freeze import FreezePass
from tflrepair.rebuild.rebuild_pass import RebuildPass, require_tensorflow
from tflrepair.rewrite.contract import Pass


def passes_after_graft(options: RepairOptions) -> tuple[Pass, ...]:
    """The passes of a strategy, in order.

    Raises:
        UserError: no such strategy, or ``origin`` belongs to another one.
        UnsupportedError: an optional package that the strategy needs is not installed.
    """
    strategy, origin = options.strategy, options.origin
    if strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise UserError(f"there is no strategy {strategy!r}", hint=f"choose from {known}")
    if strategy != REBUILD and (origin.saved_model or origin.module):
        raise UserError("--saved-model and --module need --strategy rebuild")
    if origin.saved_model and origin.module:
        raise UserError("rebuild from a SavedModel or from a module, not from both")
    if strategy == GRAFT:
        return (FreezePass(),) if options.freeze else ()
    if options.freeze and strategy == REBUILD:
        raise UserError("--freeze is for the graft; a rebuilt model is frozen by its conversion")
    if strategy == OPTIMIZE:
        fold.require()
        return (FreezePass(), fold.FoldPass())
    require_tensorflow()
    return (RebuildPass(origin),)
