"""Builds deb, rpm and their signed repositories: `python -m pack`, with this folder's parent on the path."""
