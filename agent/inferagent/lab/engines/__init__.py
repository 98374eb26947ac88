"""Stand-ins for the engines: real processes with children, sockets and signal behaviour.

`python -m inferagent.lab.engines.vllm` and `python -m inferagent.lab.engines.ollama` take the
arguments and environment of the programs they stand for, plus a few LAB_* settings (knobs.py).
"""
