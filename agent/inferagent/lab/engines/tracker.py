"""A stand-in for vLLM's resource tracker, `tracker.py FD`: lives while any process holds the pipe's end.

That is why a killed API server leaves it behind: its EngineCore and Worker still hold it.
"""

import os
import signal
import sys


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while os.read(int(sys.argv[1]), 4096):
        pass


if __name__ == "__main__":
    main()
