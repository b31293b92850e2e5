"""What ``posthouse check`` looks at, on a real home, with real sockets on loopback and no name server."""

from __future__ import annotations

import re
import socket

import pytest

from posthouse import checking
from posthouse.config.file import load_configuration
from posthouse.config.home import Home
from posthouse.founding import Founding, found_home
from posthouse.services.administration.diagnosis.catalogue import CHECKS
from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.run import Report
from posthouse.services.administration.faults import Refused
from posthouse.store.directory_values import PutSetting
from posthouse.toolbox import opened_toolbox

ALL = Selection()


@pytest.fixture
async def home(tmp_path) -> Home:
    """Return a home with one listener on a free port, named so that nothing is looked up."""
    made = Home(tmp_path / "home")
    plan = Founding(hostname="mail.example.test", domain="example.test", admin="ann", password=b"correct horse")
    await found_home(made, plan)
    text = made.file.read_text()
    listener = '[[listener]]\nname = "pop3"\nprotocol = "pop3"\nbind = ["127.0.0.1:0"]\ntls = "starttls"\n'
    made.file.write_text(
        re.sub(r"\[\[listener\]\].*", "", text.partition("[[listener]]\n")[0], flags=re.DOTALL) + listener
    )
    return made


def told(report: Report) -> dict[str, set[str]]:
    """Return the severities of what was found, by check."""
    found: dict[str, set[str]] = {}
    for each in report.findings:
        found.setdefault(each.id, set()).add(each.severity.value)
    return found


async def test_a_new_home_has_no_error(home) -> None:
    """Every check is looked at or said to be left out; a self-signed certificate is a warning."""
    report = await checking.check_home(home, ALL)
    found = told(report)
    assert not report.has_errors
    assert found["certificate.chain"] == {"warning"}
    left_out = {name for each in report.left_out for name in each.checks}
    assert set(found) | left_out == {check.id for check in CHECKS}
    assert not {name for name in found if name.startswith("dns.")} - {"dns.servers", "dns.host", "dns.ptr"}


async def test_a_file_that_cannot_be_used_is_the_only_finding(home) -> None:
    """Nothing else can be looked at then."""
    home.file.write_text("hostname = 7\n")
    (finding,) = (await checking.check_home(home, ALL)).findings
    assert (finding.severity.value, finding.id) == ("error", "configuration.file")
    assert "hostname" in finding.what


async def test_a_home_without_certificate_or_store(home) -> None:
    """Each is an error of its own, and what needs the store is left out."""
    configuration = load_configuration(home.file)
    configuration.in_home(configuration.certificate).unlink()
    (home.path / "store.db").write_bytes(b"this is no database" * 1000)
    report = await checking.check_home(home, ALL)
    found = told(report)
    assert found["certificate.usable"] == {"error"}
    assert found["store.write"] == {"error"}
    assert "directory.domains" in {name for each in report.left_out for name in each.checks}


async def test_an_open_relay_is_an_error_unless_it_is_meant(home) -> None:
    """Whatever way the setting came into the store."""
    async with opened_toolbox(home) as tools:
        await tools.store.commit(PutSetting(name="relay.networks", value="0.0.0.0/0", scope="server", by="", at=0.0))
    assert told(await checking.check_home(home, ALL))["relay.networks"] == {"error"}
    assert told(await checking.check_home(home, Selection(forced=True)))["relay.networks"] == {"warning"}


async def test_a_port_in_use_names_the_program(home) -> None:
    """While no server runs every port has to be free; who has it is told."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        home.file.write_text(home.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{other.getsockname()[1]}"))
        report = await checking.check_home(home, Selection(only=("ports.*",)))
    (finding,) = report.findings
    assert finding.severity.value == "error"
    assert "in use by another program" in finding.what
    assert "process" in finding.what


async def test_a_selection_that_names_nothing_is_refused(home) -> None:
    """A misspelt check is not the same as a check that finds nothing; nor is a domain nobody has."""
    with pytest.raises(Refused, match=r"no check is called dns\.spv"):
        await checking.check_home(home, Selection(only=("dns.spv",)))
    with pytest.raises(Refused, match=r"there is no domain else\.test"):
        await checking.check_home(home, Selection(domain="else.test"))


async def test_one_domain_alone(home) -> None:
    """What concerns the server is not looked at then."""
    report = await checking.check_home(home, Selection(domain="example.test"))
    assert all(each.id.startswith(("directory.", "dns.")) for each in report.findings)
    assert report.domains == 1
