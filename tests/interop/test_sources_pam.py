"""PAM as a sign-in source, against the real library with services in a folder of the test's own.

The services use pam_pwdfile (a file of hashes), pam_permit, pam_deny and a module that hangs; nothing of the machine's
own PAM configuration is read or changed.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from posthouse.services.identity.sources import pam_helper
from posthouse.services.identity.sources.contract import Down, Granted, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.testing.clock import FakeClock

MODULES = [path for path in Path("/").glob("lib/*/security") if (path / "pam_pwdfile.so").exists()]


def why_not() -> str:
    """Return why PAM cannot be tried here, "" where it can."""
    try:
        library = pam_helper.load()
    except OSError as error:
        return str(error)
    if not hasattr(library, "pam_start_confdir"):
        return "this PAM cannot read services from a folder of ours"
    return "" if MODULES else "pam_pwdfile is not installed"


pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "PAM is there"),
]
PASSWORD = "sécret ä"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of services."""
    place = tmp_path_factory.mktemp("pam")
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    )
    (place / "users").write_text(f"anna:{done.stdout.strip()}\nanna@example.test:{done.stdout.strip()}\n")
    services = {
        "posthouse": f"auth required pam_pwdfile.so pwdfile={place}/users\naccount required pam_permit.so\n",
        "expired": f"auth required pam_pwdfile.so pwdfile={place}/users\naccount required pam_deny.so\n",
        "open": "auth required pam_permit.so\naccount required pam_permit.so\n",
        "missing": "auth required pam_of_nobody.so\naccount required pam_permit.so\n",
        "slow": f"auth required pam_exec.so quiet {sys.executable} -c __import__('time').sleep(60)\n",
    }
    for name, text in services.items():
        (place / name).write_text(text)
    return place


def source_of(folder, **fields):
    """Return a source for one of the services."""
    parts = Parts(clock=FakeClock(), verify_hash=lambda encoded, password: False, pam_folder=str(folder))
    return make_source("pam", "machine", fields, {}, parts)


@pytest.mark.parametrize(
    ("fields", "name", "password", "expected"),
    [
        pytest.param({}, "anna@example.test", PASSWORD, Granted, id="right"),
        pytest.param({"user": "address"}, "anna@example.test", PASSWORD, Granted, id="by the whole address"),
        pytest.param({}, "anna@example.test", "wrong", Wrong, id="wrong"),
        pytest.param({}, "anna@example.test", "", Wrong, id="an empty password"),
        pytest.param({}, "ben@example.test", PASSWORD, Unknown, id="an unknown name"),
        pytest.param({}, "root@example.test", PASSWORD, Unknown, id="a name that is left out"),
        pytest.param({}, "an:na@example.test", PASSWORD, Unknown, id="a name that no user has"),
        pytest.param({"service": "expired"}, "anna@example.test", PASSWORD, Wrong, id="the account may not be used"),
        pytest.param({"service": "other-one"}, "anna@example.test", PASSWORD, Down, id="no such service"),
        pytest.param({"service": "slow", "timeout": "500ms"}, "anna@example.test", PASSWORD, Down, id="a module hangs"),
    ],
)
async def test_what_pam_says_becomes_one_of_four(folder, fields, name, password, expected) -> None:
    """Wrong, unknown, granted and out of order are told apart; a module that hangs is stopped."""
    answer = await source_of(folder, **fields).check_password(login_of(name, client="192.0.2.7"), password.encode())
    assert isinstance(answer, expected), answer


@pytest.mark.parametrize(
    ("service", "is_good", "words"),
    [
        ("posthouse", True, "answers"),
        ("open", False, "anybody"),
        ("nowhere", False, "no service"),
        ("missing", False, "PAM"),
    ],
)
async def test_the_test_of_a_source_names_what_is_amiss(folder, service, is_good, words) -> None:
    """A service that is not there, one that lets anybody in, and one with a missing module are found."""
    finding = await source_of(folder, service=service).test()
    assert finding.is_good is is_good
    assert words in finding.text


async def test_without_the_library_the_finding_is_clear(folder, monkeypatch) -> None:
    """A machine without PAM says so, and what to install."""
    monkeypatch.setattr(pam_helper, "LIBRARIES", ("libpam-of-nowhere.so",))
    source = source_of(folder)
    finding = await source.test()
    assert "no PAM library" in finding.text
    assert "libpam0g" in finding.remedy
    assert isinstance(await source.check_password(login_of("anna@example.test"), b"x"), Down)


def test_the_password_is_not_in_the_arguments() -> None:
    """The helper takes its question on standard input; without a library it answers that there is none."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", pam_helper.__file__],
        input='{"service": "posthouse", "user": "nobody-here", "password": "x", "folder": "/nonexistent"}',
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert '"code"' in done.stdout
    assert ctypes.sizeof(ctypes.c_int) == 4
