"""Imports TensorFlow, then runs scripts in forks until its input ends.

Requests are lines of JSON on standard input: {"argv": what follows Python in the command line,
"env": variables, "cwd": folder, "log": file for what it prints}. Answers are lines on standard
output: {"pid": of the fork}, then {"code": as ``Popen.returncode``}.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from typing import Any

import tensorflow as tf

# what is loaded when it is first asked for
_ = (tf.lite.TFLiteConverter, tf.lite.Interpreter, tf.saved_model.save, tf.keras)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            child(json.loads(line))
        tell(pid=pid)
        tell(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def tell(**answer: int) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def child(job: dict[str, Any]) -> None:
    code = 1
    try:
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(number, target)
        os.environ.clear()
        os.environ.update(job["env"])
        os.chdir(job["cwd"])
        extra = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [path for path in extra if path and path not in sys.path]
        launch, _, *rest = job["argv"]
        sys.argv = [launch, str(os.getppid()), *rest]
        sys.path.insert(0, os.path.dirname(launch))  # noqa: PTH120 - as Python itself does
        runpy.run_path(launch, run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
