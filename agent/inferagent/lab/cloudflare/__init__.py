"""A stand-in of Cloudflare's API v4, for the demo and the tests: what it holds, the edge stand-in obeys."""
