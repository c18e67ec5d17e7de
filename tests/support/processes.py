"""Other processes of the kit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}


HOLD = """
import os, sys, subprocess, time
from pathlib import Path
from kit.host import locks
locks.PLACES = (Path(sys.argv[1]),)
def say(text): print(text, flush=True)
mine = locks.Locks("wait" in sys.argv, say)
try:
    mine.machine()
    for folder in sys.argv[3:]:
        mine.folder(Path(folder))
    say("locked")
    if sys.argv[2] == "child":
        say(subprocess.Popen(["sleep", "60"]).pid)
    if sys.argv[2] == "threads":
        import threading
        thread = threading.Thread(target=lambda: os.close(os.open(locks.machine_file(), os.O_RDWR)))
        thread.start(); thread.join()
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        say("forked")
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


class Other:
    """Another process that takes the machine's lock, and then those of the folders named."""

    def __init__(self, place: Path, mode: str, *folders: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(place), mode, *map(str, folders)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENV,
        )  # fmt: skip

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
