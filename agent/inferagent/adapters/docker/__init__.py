"""The docker daemon of this host, spoken to over its unix socket: containers, and nothing else of it."""
