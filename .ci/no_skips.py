"""A pytest plugin for CI: a run in which a test was skipped, or expected to fail, has failed."""

from __future__ import annotations

import pytest

NOT_RUN = ("skipped", "xfailed", "xpassed")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn success into failure when something was not really tested."""
    if session.exitstatus == pytest.ExitCode.OK and _not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why the run counts as failed."""
    count = _not_run(terminalreporter.config)
    if count:
        terminalreporter.write_line(
            f"In CI nothing may be skipped or expected to fail: {count} not really run.", red=True
        )


def _not_run(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return sum(len(reporter.stats.get(kind, [])) for kind in NOT_RUN) if reporter else 0
