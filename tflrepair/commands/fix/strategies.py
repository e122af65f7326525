"""What may follow the graft: freezing, folding, or rebuilding with TensorFlow.

graft      nothing: exact, instant, needs nothing; every weight stays a variable
optimize   freeze what nothing assigns, then fold with litert-converter's MLIR
rebuild    a tf.Module over the same values, converted anew by TensorFlow

A model that is to run without the Flex delegate is then rebuilt once more, from itself.
"""

from __future__ import annotations

from tflrepair.commands.fix.options import GRAFT, OPTIMIZE, REBUILD, STRATEGIES, RepairOptions
from tflrepair.errors import UserError
from tflrepair.rebuild.requests import NoFlex
from tflrepair.rewrite.contract import Pass


def passes_after_graft(options: RepairOptions, given: bool) -> tuple[Pass, ...]:
    """The passes of a strategy, in order; ``given``: there are weights besides the origin.

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
    if options.no_flex is not None:
        return _without_flex(options, options.no_flex, given)
    if strategy == GRAFT and not options.freeze:
        return ()
    from tflrepair.passes.compact.compact import CompactPass
    from tflrepair.passes.freeze.freeze import FreezePass

    if strategy == GRAFT:
        return (FreezePass(), CompactPass())
    if options.freeze and strategy == REBUILD:
        raise UserError("--freeze is for the graft; a rebuilt model is frozen by its conversion")
    if strategy == OPTIMIZE:
        from tflrepair.passes.fold import fold

        fold.require()
        return (FreezePass(), fold.FoldPass(), CompactPass())
    from tflrepair.rebuild.rebuild_pass import RebuildPass, require_tensorflow

    require_tensorflow()
    return (RebuildPass(origin, given),)


def _without_flex(options: RepairOptions, no_flex: NoFlex, given: bool) -> tuple[Pass, ...]:
    if options.freeze or options.strategy == OPTIMIZE:
        what = "--freeze" if options.freeze else "--strategy optimize"
        raise UserError(f"{what} and --no-flex do not go together: the result is converted again")
    no_flex.check()
    from tflrepair.rebuild.lower.lower_pass import LowerPass
    from tflrepair.rebuild.rebuild_pass import RebuildPass, require_tensorflow

    require_tensorflow()
    origin = options.origin
    first = (RebuildPass(origin, given),) if origin.saved_model or origin.module else ()
    return (*first, LowerPass(no_flex))
