"""Runs a command and writes its exit code, seconds and peak memory: measure.py FILE COMMAND…

A process counts the memory of the one it was forked from, so that a small one must stand between.
"""

import json
import os
import sys
import time

start = time.monotonic()
process = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(process, 0)
seconds = time.monotonic() - start
with open(sys.argv[1], "w") as file:
    json.dump({"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak_mb": usage.ru_maxrss / 1024}, file)
