"""Figures that tests measure stand in pytest's output: `record_property("figure", line)`."""

import pytest
import structlog

# Without this structlog paints a traceback with every local value, which costs seconds.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a figure. Here, not beside the scenarios: under xdist only this file is the controller's."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [text for report in reports for name, text in report.user_properties if name == "figure"]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(set(lines)):
            terminalreporter.write_line(line)
