"""Fixtures of the interop tests: one server for each module, and the end of its log where a test fails."""

import pytest

from tests.support.server import RUNNING, PosthouseServer


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server that runs, with a few accounts, shared by the tests of a module."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home") as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of the log of every server that runs when a test fails."""
    report = yield
    if report.failed:
        for server in RUNNING:
            report.sections.append((f"log of the server in {server.home}", server.tail()))
    return report
