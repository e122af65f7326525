"""Scripts of ours in child processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tflrepair.execution.runtimes import HUGE_PAGES, environment, tuned
from tflrepair.processes import children
from tflrepair.processes.ending import ending


def run_script(
    script: Path, arguments: Sequence[str], log: Path, timeout: float, who: str = "the process"
) -> str:
    """Run a script of ours by this Python; empty if it came to a good end, else what happened.

    Args:
        log: takes what it prints. Its folder is a temporary one, and takes the child's own
            temporary files as well.
        timeout: seconds that it may take.
    """
    try:
        with log.open("wb") as stream:
            line = children.command(script, arguments)
            env = tuned(environment(sys.executable, log.parent.absolute()), HUGE_PAGES)
            with children.running(line, env=env, stdout=stream, stderr=stream) as process:
                code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        return f"it took more than {timeout:g} s and was stopped"
    except OSError as error:
        return f"no child process can be started: {error}"
    return ending(code, log, who) if code else ""
