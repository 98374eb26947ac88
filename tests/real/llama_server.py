"""llama.cpp's server inside Python: `python llama_server.py MODEL PORT NAME`; the interpreter has xllamacpp.

It serves MODEL under NAME until SIGTERM. Imports nothing of the tests: the interpreter knows none of them.
"""

import signal
import sys
import threading

import xllamacpp  # type: ignore[import-not-found, unused-ignore]

SLOTS, CONTEXT = 2, 4096


def serve(model: str, port: int, name: str) -> None:
    wanted = xllamacpp.CommonParams()
    wanted.model.path = model
    wanted.model_alias = {name}
    wanted.hostnames = ["127.0.0.1"]
    wanted.port = port
    wanted.n_parallel = SLOTS
    wanted.n_ctx = CONTEXT
    wanted.cpuparams.n_threads = 1
    wanted.endpoint_metrics = True
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    server = xllamacpp.Server(wanted)
    sys.stdout.write(f"{server.listening_address}\n")
    while not over.wait(0.2):
        pass


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
