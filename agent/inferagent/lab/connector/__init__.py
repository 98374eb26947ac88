"""A stand-in for cloudflared, run as a program: same flags, wire, metrics server and way to stop."""
