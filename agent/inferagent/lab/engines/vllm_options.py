"""The command line of the vLLM stand-in: what the real one takes and the lab needs; the rest is let pass."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    model: str
    host: str
    port: int
    names: list[str]
    shutdown_timeout: float
    max_num_seqs: int
    max_model_len: int
    disable_log_stats: bool
    track_load: bool
    api_key: str


def parse(arguments: list[str], version: str) -> Options:
    """Raises SystemExit as argparse does."""
    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve")
    serve.add_argument("model")
    serve.add_argument("--host", default="0.0.0.0")  # noqa: S104 (as the real one)
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--served-model-name", nargs="+", default=[])
    serve.add_argument("--shutdown-timeout", type=float, default=0.0)
    serve.add_argument("--max-num-seqs", type=int, default=256)
    serve.add_argument("--max-model-len", type=int, default=32768)
    serve.add_argument("--disable-log-stats", action="store_true")
    serve.add_argument("--enable-server-load-tracking", action="store_true")
    serve.add_argument("--api-key", default="")
    known, _ = parser.parse_known_args(arguments)
    return Options(
        model=known.model,
        host=known.host,
        port=known.port,
        names=known.served_model_name or [known.model],
        shutdown_timeout=known.shutdown_timeout,
        max_num_seqs=known.max_num_seqs,
        max_model_len=known.max_model_len,
        disable_log_stats=known.disable_log_stats,
        track_load=known.enable_server_load_tracking,
        api_key=known.api_key,
    )
