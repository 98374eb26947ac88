"""The process that makes the tokens of the vLLM stand-in: `worker.py MODEL START_SECONDS`.

It answers one line for each batch it is sent, after the time that the batch takes. Stopping it
(SIGSTOP) is what a hung GPU looks like from outside. Standard library alone: it starts in 30 ms.
"""

import json
import signal
import sys
import time
from pathlib import Path

SLICE = 0.05


def load(model: str, seconds: float) -> None:
    """Reads the model and computes a little, in slices, so that loading can be seen as progress."""
    source = Path(model) if Path(model).is_file() else Path("/dev/zero")
    until = time.monotonic() + seconds
    with source.open("rb") as weights:
        while (left := until - time.monotonic()) > 0:
            if not weights.read(1 << 16):
                weights.seek(0)
            sum(range(20_000))
            time.sleep(min(SLICE, left))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Path("/proc/self/comm").write_text("VLLM::Worker")
    load(sys.argv[1], float(sys.argv[2]))
    print(json.dumps({"ready": True}), flush=True)
    due = 0.0
    for line in sys.stdin:
        batch = json.loads(line)
        now = time.monotonic()
        # Counted from the last batch while batches follow each other, so that the rate holds.
        due = max(due, now - batch["seconds"]) + batch["seconds"]
        time.sleep(max(0.0, due - now))
        print(json.dumps({"tokens": batch["tokens"]}), flush=True)


if __name__ == "__main__":
    main()
