"""Keeps a GPU host in a public inference endpoint only while it can really answer."""

__version__ = "0.1.0"
