"""Installing the parts of a host: cloudflared, Ollama, vLLM. `run` is all that others need."""

from inferagent.programs.install.host import Host
from inferagent.programs.install.progress import Progress
from inferagent.programs.install.running import Order, World, run

__all__ = ["Host", "Order", "Progress", "World", "run"]
