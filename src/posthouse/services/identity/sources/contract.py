"""What a sign-in source is asked and what it may answer.

A source is somebody else's directory: LDAP, a database, PAM, an OpenID provider, an HTTP service. It says one of four
things: granted, wrong, not known here (the next source is asked), or that it cannot say now. The last is always
answered temporarily: a password is never called wrong because a server was down.

Not here: which source is asked for whom (``registry``), accounts (``identity.authentication``).
Tests: ``tests/unit/services/identity/sources/test_source_registry.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

OWN: Final = "own"  # the name of our own store in an order of sources
NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A name as somebody gave it, and what it means.

    Attributes:
        name: as it was written.
        local_part, domain: its parts, folded; ``domain`` is the default domain for a bare name, "" where there is none.
        protocol: ``imap``, ``pop3``, ``smtp``, ``web`` and so on.
        client: the IP address it came from, "" where there is none.
    """

    name: str
    local_part: str
    domain: str = ""
    protocol: str = ""
    client: str = ""

    @property
    def address(self) -> str:
        """The full address; the local part alone where no domain is known."""
        return f"{self.local_part}@{self.domain}" if self.domain else self.local_part


def login_of(name: str, *, default_domain: str = "", protocol: str = "", client: str = "") -> Login:
    """Return the login for a name that was typed: the last ``@`` divides it, a bare name gets the default domain."""
    local_part, at, domain = name.rpartition("@")
    if not at:
        local_part, domain = name, default_domain
    return Login(name=name, local_part=local_part.lower(), domain=domain.lower(), protocol=protocol, client=client)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePerson:
    """A person as a source knows him: what an account is made from when he first signs in.

    Attributes:
        address: folded; what his account is or will be called.
        groups: names of the groups he is in, as the source names them.
        external_id: what stays the same when he is renamed; "" where the source has nothing of the kind.
        attributes: ``quota`` (octets, as text) and what else the source was told to hand over.
        is_disabled: whether the source has him shut out.
    """

    address: str
    display_name: str = ""
    given_name: str = ""
    family_name: str = ""
    groups: tuple[str, ...] = ()
    external_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceGroup:
    """A group as a source knows it; ``address`` is "" for a group that gets no mail, ``members`` are addresses."""

    name: str
    address: str = ""
    members: tuple[str, ...] = ()
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """The name and the secret go together; ``source`` is the name of the source that said so."""

    person: SourcePerson
    source: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The source knows the name and refuses; ``detail`` says why, for the log only."""

    detail: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The source does not know the name; the next one is asked."""


@dataclass(frozen=True, slots=True)
class Down:
    """The source cannot say now.

    The answer outside is temporary: 454 4.7.0, ``NO [UNAVAILABLE]``, ``-ERR [SYS/TEMP]``. ``detail`` is for the log.
    ``is_spared`` says that the source as a whole is away and is better not asked for a while; a failure that one
    name or one token may have provoked is none of that, or anybody could shut a source off for all.
    """

    detail: str
    source: str = ""
    is_spared: bool = True


SourceAnswer: TypeAlias = Granted | Wrong | Unknown | Down


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """What a test of a source found: one line, and what to do where it is not good."""

    is_good: bool
    text: str
    remedy: str = ""


class SourceDown(Exception):  # noqa: N818  (a condition of the other side, not an error of ours)
    """Raised by ``people`` and ``groups`` where the source cannot be read; its text is for the log."""


class Source(Protocol):
    """One source. Every method may be called from many tasks at once; none raises for what the other side does.

    Only ``people`` and ``groups`` raise ``SourceDown``. An empty password is never granted, whatever the source says.
    """

    @property
    def name(self) -> str:
        """The name under which administrators know it."""
        ...

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Say whether the name and the password go together."""
        ...

    async def check_token(self, token: str, mechanism: str) -> SourceAnswer:
        """Say whose bearer token this is (``OAUTHBEARER``, ``XOAUTH2``); ``Unknown`` for sources without tokens."""
        ...

    async def find(self, address: str) -> SourcePerson | None:
        """Return the person of an address without his password; None where unknown. Raises SourceDown."""
        ...

    def people(self) -> AsyncIterator[SourcePerson]:
        """Yield everybody, for synchronisation; nothing where the source cannot list. Raises SourceDown."""
        ...

    def groups(self) -> AsyncIterator[SourceGroup]:
        """Yield every group, for synchronisation; nothing where the source has none. Raises SourceDown."""
        ...

    async def test(self) -> SourceFinding:
        """Try the source without a person's password and say what was found, in bounded time."""
        ...

    async def close(self) -> None:
        """Close every connection; the source is not asked again."""
        ...


class QuietSource:
    """What a source answers where its kind has nothing to say; kinds inherit and replace what they can do."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """The name under which administrators know it."""
        return self._name

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Know nobody."""
        return Unknown()

    async def check_token(self, token: str, mechanism: str) -> SourceAnswer:
        """Know no tokens."""
        return Unknown()

    async def find(self, address: str) -> SourcePerson | None:
        """Find nobody."""
        return None

    async def people(self) -> AsyncIterator[SourcePerson]:
        """List nobody."""
        nobody: tuple[SourcePerson, ...] = ()
        for person in nobody:
            yield person

    async def groups(self) -> AsyncIterator[SourceGroup]:
        """List no groups."""
        none: tuple[SourceGroup, ...] = ()
        for group in none:
            yield group

    async def close(self) -> None:
        """Have nothing to close."""
