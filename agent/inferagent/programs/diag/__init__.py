"""Diag: one file with what others need to help with a host, and nothing that would let them into it."""
