"""Run a script that must not outlive whoever started it: `python guard.py SCRIPT [ARGUMENT ...]`.

The starter holds the other end of this process's standard input and never writes to it. When
the starter ends, in whatever way, the system closes that end, and the script ends too.
"""

import os
import runpy
import sys
import threading
from pathlib import Path


def end_with_starter() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(script).resolve().parent)  # as Python does
    runpy.run_path(script, run_name="__main__")
