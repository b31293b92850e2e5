"""Judges what ``posthouse check`` found on the machine: facts in, findings with remedies out.

Pure: whoever calls (``posthouse.checking``) has looked at files, sockets and the clock; here it is only decided what
that means. Severities: an error keeps mail from flowing or lets strangers in, everything else is a warning.
Tests: ``tests/unit/services/administration/diagnosis/test_check.py``.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from posthouse.config.file import Configuration
from posthouse.config.setting import format_size
from posthouse.services.administration.diagnosis.findings import Finding, error, ok, warning
from posthouse.services.administration.diagnosis.relay_safety import review_networks
from posthouse.store.directory_rows import AccountRow, DomainRow, RouteRow

DAY = 86_400.0
EXPIRES_SOON = 21 * DAY  # a certificate that renews itself is renewed 30 days before its end
DISK_ERROR = 100 << 20
DISK_WARNING = 1 << 30


class PortState(enum.Enum):
    """What became of one address of a listener."""

    ANSWERS = "answers"
    SILENT = "does not answer"
    FREE = "is free"
    TAKEN = "is in use by another program"
    NO_RIGHT = "needs a right that this user does not have"
    NO_ADDRESS = "is no address of this machine"


@dataclass(frozen=True, slots=True)
class PortFacts:
    """One address of a listener and what was seen there; ``detail`` is a greeting or an error."""

    listener: str
    address: str
    state: PortState
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """The certificate and its key; ``fault`` and ``remedy`` say why it cannot be used, "" where it can."""

    path: str
    names: tuple[str, ...] = ()
    expires: float = 0.0
    self_signed: bool = False
    key_is_public: bool = False
    fault: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """Who runs the check and what the machine has: free octets of the store's disk, whether ``user`` exists."""

    is_root: bool
    user_exists: bool
    home_is_public: bool
    free: int


def check_configuration(configuration: Configuration, machine: MachineFacts) -> Iterable[Finding]:
    """Judge ``posthouse.toml`` as a whole: listeners, user, plaintext passwords."""
    topic = "configuration"
    if not configuration.listeners:
        yield error(topic, "no listener", "", "Add a [[listener]] to posthouse.toml; `posthouse init` shows how.")
    else:
        yield ok(topic, _count(len(configuration.listeners), "listener"), str(configuration.home / "posthouse.toml"))
    if configuration.user and not machine.user_exists:
        yield error(
            topic,
            f"there is no user {configuration.user!r}",
            "user in posthouse.toml",
            f"Make it (adduser --system {configuration.user}), or take the line out.",
        )
    if machine.is_root and not configuration.user:
        yield warning(
            topic,
            "the server would keep running as root",
            "no user in posthouse.toml",
            'Make a system user and set user = "posthouse" in posthouse.toml.',
        )
    for listener in configuration.listeners:
        if listener.plaintext_auth == "always" and listener.tls != "implicit":
            yield warning(
                topic,
                f"the listener {listener.name!r} takes passwords in the clear from anywhere",
                'plaintext_auth = "always"',
                'Set plaintext_auth = "loopback" unless every path to that listener is private.',
            )
    if machine.home_is_public:
        yield warning(
            topic,
            "other users of this machine can look into the home",
            str(configuration.home),
            f"chmod 700 {configuration.home}",
        )


def check_certificate(facts: CertificateFacts, hostname: str, now: float) -> Iterable[Finding]:
    """Judge the certificate: usable, current, for our name, signed by somebody."""
    topic = "certificate"
    if facts.fault:
        yield error(topic, facts.fault, facts.path, facts.remedy)
        return
    days = int((facts.expires - now) // DAY)
    if facts.expires <= now:
        yield error(topic, f"expired {-days} days ago", facts.path, "Put a new one in its place and send SIGHUP.")
    elif facts.expires - now < EXPIRES_SOON:
        yield warning(topic, f"expires in {days} days", facts.path, "Put a new one in its place and send SIGHUP.")
    else:
        yield ok(topic, f"good for {days} days", facts.path)
    if not any(covers(name, hostname) for name in facts.names):
        yield warning(
            topic,
            f"is not for {hostname}",
            "names: " + (", ".join(facts.names) or "none"),
            "Get one for the host name, or change `hostname` in posthouse.toml.",
        )
    if facts.self_signed:
        yield warning(
            topic,
            "self-signed: mail programs will ask whether to trust it",
            facts.path,
            "Name files of a certificate authority under [tls] in posthouse.toml.",
        )
    if facts.key_is_public:
        yield error(topic, "the private key is readable for everyone", facts.path, "chmod 600 the key, and replace it.")


def covers(pattern: str, hostname: str) -> bool:
    """Whether a name of a certificate stands for a host; ``*`` for exactly its first label (RFC 9525 §6.3)."""
    pattern, hostname = pattern.lower().rstrip("."), hostname.lower().rstrip(".")
    if pattern.startswith("*."):
        return hostname.partition(".")[2] == pattern[2:]
    return pattern == hostname


_PORT_REMEDIES = {
    PortState.SILENT: "See the log; restart the server.",
    PortState.TAKEN: "Stop the other program, or change `bind` of that listener in posthouse.toml.",
    PortState.NO_ADDRESS: "Change `bind` of that listener in posthouse.toml to an address of this machine.",
    PortState.NO_RIGHT: "Ports below 1024 need root or CAP_NET_BIND_SERVICE; check again as the user that starts it.",
}


def check_ports(ports: Sequence[PortFacts]) -> Iterable[Finding]:
    """Judge the listeners: one finding for each that is not well, one for all that are."""
    well = [port for port in ports if port.state in {PortState.ANSWERS, PortState.FREE}]
    for port in ports:
        if port not in well:
            make = warning if port.state is PortState.NO_RIGHT else error
            what = f"{port.listener}: {port.address} {port.state.value}"
            yield make("ports", what, port.detail, _PORT_REMEDIES[port.state])
    for state in (PortState.ANSWERS, PortState.FREE):
        names = [f"{port.listener} {port.address}" for port in well if port.state is state]
        if names:
            yield ok("ports", f"{len(names)} {'answer' if state is PortState.ANSWERS else 'free'}", ", ".join(names))


def check_store(path: str, free: int, fault: str) -> Iterable[Finding]:
    """Judge the store: whether a commit reached the disk, and room on it."""
    if fault:
        yield error("store", "cannot be written", fault, f"See that {path} belongs to the server's user, and the disk.")
    else:
        yield ok("store", "opened, written and flushed", path)
    if free < DISK_ERROR:
        yield error("store", "the disk is full", f"{format_size(free >> 20 << 20)} free", "Make room.")
    elif free < DISK_WARNING:
        yield warning("store", "the disk is nearly full", f"{free >> 20} MiB free", "Make room.")


def check_relay(networks: Sequence[str], *, local_sender: bool, forced: bool) -> Iterable[Finding]:
    """Judge who may send through us without signing in; ``forced`` turns an open relay into a warning."""
    topic, remedy = "relay", "posthouse setting set relay.networks with the networks of your own machines only."
    review = review_networks(networks)
    for text in review.open:
        what = "open relay: anyone may send to anywhere through this server"
        yield (warning if forced else error)(topic, what, f"relay.networks has {text}", remedy)
    for text in review.wide:
        yield warning(topic, "a wide network may send to anywhere", f"relay.networks has {text}", remedy)
    for text in review.unreadable:
        yield error(topic, "not a network, so it trusts nobody", f"relay.networks has {text}", remedy)
    if local_sender:
        yield warning(
            topic,
            "anyone who knows one of your addresses may send to anywhere",
            "relay.local_sender is yes",
            "posthouse setting unset relay.local_sender",
        )
    if not (review.open or review.wide or review.unreadable or local_sender):
        yield ok(topic, "only who signs in may send to anywhere" if not networks else "relay.networks is narrow")


def check_routes(routes: Sequence[RouteRow], configuration: Configuration) -> Iterable[Finding]:
    """Judge the next hops: none may lead back here, and none may let strangers send to half the world."""
    topic = "routes"
    ours = {bind.port for listener in configuration.listeners if listener.protocol == "smtp" for bind in listener.bind}
    for route in routes:
        evidence = f"{route.domain} -> {route.host}:{route.port}"
        if route.port in ours and _is_this_machine(route.host, configuration):
            remedy = f"posthouse route set '{route.domain}' --host HOST, or posthouse route remove '{route.domain}'"
            yield error(topic, f"the route of {route.domain} leads back to this server", evidence, remedy)
        if route.recipients_local and route.domain.count(".") <= (1 if route.domain.startswith(".") else 0):
            yield error(
                topic,
                "open relay: strangers may send to a whole top-level domain",
                evidence,
                f"posthouse route set '{route.domain}' --host {route.host} (without --recipients-local)",
            )


def _is_this_machine(host: str, configuration: Configuration) -> bool:
    if host in {configuration.hostname, "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    binds = {bind.host for listener in configuration.listeners for bind in listener.bind}
    return address.is_loopback or str(address) in binds


def check_settings(problems: Sequence[str], outdated: Sequence[str]) -> Iterable[Finding]:
    """Judge what was set: rows that cannot be used, defaults kept for compatibility."""
    for problem in problems:
        yield error("settings", "a setting cannot be used and is passed over", problem, "posthouse setting unset NAME")
    for name in outdated:
        yield warning(
            "settings",
            f"{name} keeps the default of an earlier version",
            "server.compatibility_level",
            f"See `posthouse setting explain {name}`, then raise server.compatibility_level.",
        )
    if not problems and not outdated:
        yield ok("settings", "all can be used")


def check_directory(domains: Sequence[DomainRow], administrators: Sequence[AccountRow]) -> Iterable[Finding]:
    """Judge the directory: somebody administers it, and somebody could sign in to do so."""
    topic = "directory"
    if not domains:
        yield error(topic, "no domain: no mail is accepted", "", "posthouse domain add example.org")
        return
    able = [row for row in administrators if not row.disabled]
    if not able:
        yield error(
            topic,
            "no administrator: mail for postmaster is refused",
            "RFC 5321 §4.5.1 wants every domain to take it",
            "posthouse account set ADDRESS --admin",
        )
    elif not any(row.password_hash for row in able):
        yield warning(
            topic,
            "no administrator has a password",
            ", ".join(row.address for row in able),
            "posthouse account set ADDRESS --password",
        )
    else:
        yield ok(
            topic, f"{_count(len(domains), 'domain')}; postmaster goes to {able[0].address} where no other is named"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
