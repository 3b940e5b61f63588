"""Run a script that must not outlive whoever started it: `python guard.py SCRIPT [ARGUMENT ...]`.

The starter holds the other end of this process's standard input and never writes to it. When
the starter ends, in whatever way, the system closes that end, and the script ends too.
"""

import os
import runpy
import sys
import threading
import time
from pathlib import Path


def end_with_starter() -> None:
    if sys.platform == "win32":
        wait_on_windows()
    else:
        while os.read(0, 1):
            pass
    os._exit(0)


def wait_on_windows() -> None:
    """Wait for the end of standard input by looking at it again and again.

    A read that waits would hold up whoever else uses this pipe: a child process (Flask's
    reloader starts one) inherits it and would hang while its Python starts.
    """
    import _winapi
    import msvcrt

    try:
        while True:
            _winapi.PeekNamedPipe(msvcrt.get_osfhandle(0))
            time.sleep(0.2)
    except OSError:  # the other end is closed
        pass


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(script).resolve().parent)  # as Python does
    runpy.run_path(script, run_name="__main__")
