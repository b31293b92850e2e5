"""Each step of a message's story in words for people, with the reason: "because relay.authenticated".

One function for each step; a record of an older form is told as well as it can be, never refused.
Tests: ``tests/unit/services/journey/test_wording.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from posthouse.services.journey import steps

Record = Mapping[str, Any]

REASONS: dict[str, str] = {
    "relay.authenticated": "the client had signed in",
    "relay.network": "the client's address is in relay.networks",
    "relay.local_sender": "the sender's address is ours and relay.local_sender is on",
    "relay.relay_domain": "a route lets anyone send to that domain",
    "relay.own_domain": "the domain is ours",
    "relay.denied": "the domain is not ours and nothing lets this client send to it",
    "recipient.unknown": "nobody has that address",
    "recipient.disabled": "the mailbox is disabled",
    "recipient.quota": "the mailbox is full",
    "recipient.relocated": "somebody who has another address now had that one",
    "group.senders": "the group does not take mail from that sender",
    "routing.empty_group": "nobody is in the group",
    "routing.loop": "the alias leads back to itself",
    "routing.expansion": "too many addresses stand behind it",
    "relay.reply": "the other server said so",
    "relay.connect": "no session with the other server came about",
    "loop.received": "it has passed through too many servers",
    "loop.delivered_to": "it was delivered to that address before",
}


def tell(step: str, record: Record) -> list[str]:
    """Return a step in one or more lines, the first saying what happened."""
    teller = _TELLERS.get(step)
    return teller(record) if teller is not None else [f"{step} {_plain(record)}".rstrip()]


def _path(text: Any) -> str:
    return f"<{text}>"


def _because(rule: Any) -> str:
    if not rule:
        return ""
    reason = REASONS.get(str(rule))
    return f", because {reason} ({rule})" if reason else f", because {rule}"


def _outcome(record: Record) -> str:
    outcome = record.get("outcome")
    if not isinstance(outcome, Mapping):
        return ""
    text = f"{outcome.get('code', '')} {outcome.get('enhanced', '')} {outcome.get('text', '')}".strip()
    setting = outcome.get("setting")
    changed_by = f"; the setting is {setting}" if setting else ""
    return f": {text}{_because(outcome.get('rule'))}{changed_by}"


def _received(record: Record) -> list[str]:
    client = record.get("client") or "this machine"
    helo = f" ({record['helo']})" if record.get("helo") else ""
    signed_in = f", signed in as {record['account']}" if record.get("account") else ""
    how = f"{record.get('protocol', 'SMTP')} on {record.get('listener', '')}"
    what = f"{record.get('size', 0)} octets from {_path(record.get('from', ''))}"
    message_id = f"Message-ID <{record.get('message_id', '')}>"
    lines = [f"accepted from {client}{helo}{signed_in} by {how}: {what}, {message_id}"]
    for recipient in record.get("recipients", ()):
        lines += _granted(recipient)
    for address, outcome in record.get("refused", ()):
        lines.append(f"refused {_path(address)}{_outcome({'outcome': outcome})}")
    return lines


def _granted(recipient: Record) -> list[str]:
    lines = [f"granted {_path(recipient.get('to', ''))}{_because(recipient.get('rule'))}"]
    lines += _places(recipient.get("local", ()), recipient.get("remote", ()))
    return lines


def _places(local: Iterable[Any], remote: Iterable[Any]) -> list[str]:
    filed = [f"filed for {account}" for account in local]
    return filed + [f"queued for {_path(address)} by {destination}" for address, destination in remote]


def _refused(record: Record) -> list[str]:
    to = record.get("to", "")
    shown = ", ".join(_path(each) for each in to) if isinstance(to, list | tuple) else _path(to)
    return [f"refused for {shown} from {_path(record.get('from', ''))}{_outcome(record)}"]


def _notice(record: Record) -> list[str]:
    kind = str(record.get("kind"))
    named = {"failure": "a bounce", "delay": "a notice of delay", "success": "a confirmation"}
    what = named.get(kind, f"the server message {kind}" if not record.get("about") else "a notice")
    about = f" about {record['about']}" if record.get("about") else ""
    first = f"{what}{about} was written to {_path(record.get('to', ''))}"
    return [first, *_places(record.get("local", ()), record.get("remote", ()))]


def _attempt(words: str) -> Callable[[Record], list[str]]:
    def told(record: Record) -> list[str]:
        host = f" by {record['host']}" if record.get("host") else ""
        return [f"{words} {_path(record.get('to', ''))}{host}{_outcome(record)}{_rest(record)}"]

    return told


def _by_hand(words: str) -> Callable[[Record], list[str]]:
    def told(record: Record) -> list[str]:
        by = f" by {record['by']}" if record.get("by") else ""
        return [f"{words} {_path(record.get('to', ''))}{by}"]

    return told


def _rest(record: Record) -> str:
    known = {"to", "host", "outcome"}
    rest = {key: value for key, value in record.items() if key not in known and value not in {"", None}}
    return f" ({_plain(rest)})" if rest else ""


def _plain(record: Record) -> str:
    return ", ".join(f"{key} {value}" for key, value in record.items())


_TELLERS: dict[str, Callable[[Record], list[str]]] = {
    steps.RECEIVED: _received,
    steps.REFUSED: _refused,
    steps.NOTICE: _notice,
    steps.ATTEMPTED: _attempt("not yet delivered to"),
    steps.DELIVERED: _attempt("delivered to"),
    steps.FAILED: _attempt("given up for"),
    steps.EXPIRED: _attempt("kept for too long, given up for"),
    steps.DELAYED: _attempt("the sender was told of the delay for"),
    steps.HELD: _by_hand("held for"),
    steps.RELEASED: _by_hand("released for"),
    steps.REMOVED: _by_hand("removed for"),
}
