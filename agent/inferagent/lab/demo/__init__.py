"""The demo: two hosts behind one URL, and what users see of their drains and faults."""
