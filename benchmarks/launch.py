"""Run a command in a fresh process; print its wall time, peak memory and output as JSON.

    python benchmarks/launch.py COMMAND ...

This small process stands between the benchmark and what it measures because Linux counts the memory of the process that
starts another one towards the peak of the new one: started from a process that holds torch, everything seems large.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024


def main(command: list[str]) -> None:
    """Run the command and report."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        # wait4 gives the usage of this one process; getrusage(RUSAGE_CHILDREN) would be the peak over all of them.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    peak = usage.ru_maxrss * _BYTES_PER_UNIT
    print(json.dumps({"code": process.returncode, "seconds": seconds, "peak_bytes": peak, "output": text}))


if __name__ == "__main__":
    main(sys.argv[1:])
