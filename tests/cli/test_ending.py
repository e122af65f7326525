"""How the command line ends: signals, streams that fail, and children that end with it.

All other commands end the same way: `make faults`, which is part of CI, has them.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from faults import audits, files, kills

pytestmark = pytest.mark.runs


def test_signals_have_their_exit_codes_and_leave_nothing() -> None:
    line = kills.signals(6, seed=1)
    assert line.runs == 6 and line.wrong == []


IN_A_CLASS = """
import os, signal
from tflrepair import cli

class Field:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGHUP)

def app(standalone_mode):
    class Uses:
        field = Field()

cli.app = app
cli.main()
"""


def test_a_signal_while_a_class_is_made() -> None:
    """Python 3.11 makes a RuntimeError of what is raised there."""
    done = subprocess.run([sys.executable, "-c", IN_A_CLASS], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (129, "")
    assert done.stderr == "tflrepair: ended by SIGHUP\n"


WHILE_LOADED = """
import os, signal, sys
from tflrepair.__main__ import main

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tflrepair.cli.signals":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
main()
"""


def test_ctrl_c_while_modules_are_loaded() -> None:
    """It comes before there is a handling of ours."""
    done = subprocess.run([sys.executable, "-c", WHILE_LOADED], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_audits() -> None:
    for line in (audits.readers_killed(6, seed=4), audits.audits_killed(4, seed=5)):
        assert line.runs >= 4 and line.wrong == []
    line = audits.without_temporary_folders()
    assert line.runs >= 9 and line.wrong == []


@pytest.mark.parametrize("named", [False, True])
def test_kill_9_tears_nothing_and_the_next_run_cleans_up(named: bool) -> None:
    line = kills.kill_9(3, seed=2, named=named)
    assert line.runs == 3 and line.wrong == []


def test_streams_that_fail_are_exit_code_2() -> None:
    line = files.streams()
    assert line.runs > 8 and line.wrong == []


def test_no_room_read_only_and_odd_names() -> None:
    line = files.full_and_read_only()
    assert line.runs > 5 and line.wrong == []


def test_inputs_that_are_cut_short_are_errors_of_ours() -> None:
    line = files.truncated_while_read(3, seed=3)
    assert line.runs == 3 and line.wrong == []
