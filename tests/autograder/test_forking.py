"""A process that is about to be forked many times."""

import subprocess
import sys

_PROGRAM = """
import gc
gc.disable()
kept = [bytearray(4096) for _ in range(10_000)]
kept[0][0] = 7
from autograder.student_side.forking import settle
settle()
assert gc.isenabled() and gc.get_freeze_count() > 0
assert kept[0][0] == 7 and not any(any(block) for block in kept[1:])
print("settled")
"""


def test_what_was_there_is_there_and_not_looked_through_again():
    said = subprocess.check_output([sys.executable, "-c", _PROGRAM], text=True)
    assert said == "settled\n"
