"""A real OpenLDAP server for tests: slapd on a free loopback port, with a directory of its own, TLS, and four people.

Use as a context. ``password`` is everybody's password; ``stop`` kills the server, ``start`` brings it back.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.certificates import make_certificate
from tests.support.server import until

SLAPD = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/lib/openldap")
SCHEMAS = Path("/etc/ldap/schema")
BASE = "dc=example,dc=test"
PASSWORD = "böse (Wölfe)*\\"
SEARCHER = f"cn=searcher,{BASE}"

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/cert.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "dc=example,dc=test"
rootdn "cn=searcher,dc=example,dc=test"
rootpw searcher-secret
directory {folder}/data
maxsize 10485760
dbnosync
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
access to attrs=userPassword by anonymous auth by self write by * none
access to * by * read
sizelimit size.soft=500 size.hard=500
"""

ENTRIES = """
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: uid=anna,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: anna
cn: Anna Älv
sn: Älv
givenName: Anna
mail: anna@example.test
employeeNumber: 1048576
userPassword: böse (Wölfe)*\\

dn: uid=ben,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: Ben
mail: ben@example.test
userPassword: böse (Wölfe)*\\

dn: uid=twin,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: One
mail: twin@example.test
userPassword: böse (Wölfe)*\\

dn: cn=Twin,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
cn: Twin
sn: Two
mail: twin@example.test
userPassword: böse (Wölfe)*\\

dn: uid=nomail,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: nomail
cn: No Mail
sn: Mail
userPassword: böse (Wölfe)*\\
"""

# added while the server runs: only then does it note memberships with the members
GROUPS = """
dn: cn=staff,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: staff
member: uid=anna,ou=people,dc=example,dc=test

dn: cn=everybody,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: everybody
member: cn=staff,ou=groups,dc=example,dc=test
member: uid=ben,ou=people,dc=example,dc=test
"""


def why_not() -> str:
    """Return why slapd cannot be run here, "" where it can."""
    if SLAPD is None:
        return "slapd is not installed"
    if shutil.which("ldapadd") is None:
        return "ldapadd of ldap-utils is not installed"
    if not (SCHEMAS / "inetorgperson.schema").exists():
        return "slapd's schemas are not in /etc/ldap/schema"
    return ""


class LdapServer:
    """One slapd with ``more`` people of the form ``personN`` beside the four."""

    def __init__(self, more: int = 0) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="posthouse-slapd-"))
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.tls_port = _free_port(), _free_port()
        self.ca_file = str(self._folder / "cert.pem")

    @property
    def url(self) -> str:
        """Where it is, in clear or with StartTLS."""
        return f"ldap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where it is, with TLS from the beginning."""
        return f"ldaps://localhost:{self.tls_port}"

    def __enter__(self) -> Self:
        make_certificate(self._folder, "localhost")
        (self._folder / "data").mkdir()
        (self._folder / "slapd.conf").write_text(CONFIGURATION.format(folder=self._folder))
        people = "".join(
            f"\ndn: uid=person{n},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: person{n}\ncn: Person {n}\n"
            f"sn: P\nmail: person{n}@example.test\n"
            for n in range(self._more)
        )
        (self._folder / "entries.ldif").write_text(ENTRIES + people)
        add = [
            SLAPD,
            "-T",
            "add",
            "-q",
            "-f",
            str(self._folder / "slapd.conf"),
            "-l",
            str(self._folder / "entries.ldif"),
        ]
        done = subprocess.run(add, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.start()
        add = ["ldapadd", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", SEARCHER, "-w", "searcher-secret"]
        done = subprocess.run(add, input=GROUPS, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return self

    def start(self) -> None:
        """Run the server until it answers."""
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        self._process = subprocess.Popen(
            [SLAPD, "-f", str(self._folder / "slapd.conf"), "-h", urls, "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: _answers(self.port) and _answers(self.tls_port), "slapd to listen")

    def stop(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
