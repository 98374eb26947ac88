"""The log: one line an event, keys and values, on stderr."""

import subprocess
import sys

PROGRAM = """
import structlog
from inferagent.runtime.logs import configure
configure()
structlog.get_logger().info("serving", phase="serving")
structlog.get_logger().debug("unseen")
"""


def test_a_line_has_its_event_level_and_keys() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "level='info'" in line
    assert "event='serving'" in line
    assert "phase='serving'" in line
