"""Mail addresses and paths (RFC 5321 §4.1.2, RFC 6531 §3.3, RFC 5890).

``Address`` is the *Mailbox* of RFC 5321. The domain is kept in lower case as U-labels where it is internationalised;
``domain_ascii`` gives the A-labels for the DNS and for peers without SMTPUTF8. The local part keeps its case: only
its owner may interpret it (RFC 5321 §2.4); our own directory folds case when it looks up.

Not here: header addresses with display names and comments (``message.addresses``).
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  (registers the codec; listed so that frozen builds carry it)
import re
from dataclasses import dataclass
from functools import lru_cache

from posthouse.core import limits
from posthouse.core.errors import SyntaxFault

# Dot-string = Atom *("." Atom)   (RFC 5321 §4.1.2; atext with UTF8-non-ascii by RFC 6531 §3.3)
_DOT_STRING = re.compile(
    r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+)*"
)
_LDH_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"')
_LITERAL = re.compile(
    r"\[(?:IPv6:[0-9A-Fa-f:.]+|\d{1,3}(?:\.\d{1,3}){3}|[A-Za-z][A-Za-z0-9-]*:[\x21-\x5a\x5e-\x7e]+)\]"
)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One address, ``local_part@domain``; the local part is unquoted, the domain folded to lower case.

    Construct through ``parse_address`` for anything a peer or a person wrote.
    """

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{format_local_part(self.local_part)}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        """Whether both halves are ASCII, so that SMTPUTF8 is not needed (RFC 6531 §3.1)."""
        return self.local_part.isascii() and self.domain.isascii()

    @property
    def domain_ascii(self) -> str:
        """The domain as A-labels. Raises SyntaxFault: where IDNA has no form for it."""
        return domain_to_ascii(self.domain)

    @property
    def folded(self) -> str:
        """The key under which our own directory knows the address: all lower case."""
        return f"{self.local_part.lower()}@{self.domain}"


@lru_cache(maxsize=8192)
def format_local_part(local_part: str) -> str:
    """Return the local part as it is written in a path: quoted where it is no Dot-string (RFC 5321 §4.1.2)."""
    if _DOT_STRING.fullmatch(local_part):
        return local_part
    return '"' + local_part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def domain_to_ascii(domain: str) -> str:
    """Return the domain as lower-case A-labels; address literals pass unchanged (RFC 5890 §2.3.2.1)."""
    if domain.isascii():
        return domain.lower()
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise SyntaxFault(f"no IDNA form: {error}", where="domain") from None


@lru_cache(maxsize=8192)
def fold_domain(domain: str) -> str:
    """Return the one form under which a domain is stored and compared: lower case, U-labels, no final dot.

    Raises SyntaxFault: where it is no domain and no address literal (RFC 5321 §4.1.2, §4.1.3).
    """
    if domain.startswith("["):
        if not _LITERAL.fullmatch(domain):
            raise SyntaxFault("malformed address literal", where="domain")
        return domain.lower()
    name = domain.rstrip(".").lower() if domain.endswith(".") and not domain.endswith("..") else domain.lower()
    ascii_name = domain_to_ascii(name)
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or any(not _LDH_LABEL.fullmatch(label) for label in labels):
        raise SyntaxFault("malformed domain", where="domain")
    if "xn--" not in ascii_name:
        return ascii_name
    try:
        unicode_name = ascii_name.encode("ascii").decode("idna")
        is_stable = unicode_name.encode("idna").decode("ascii") == ascii_name
    except UnicodeError:
        return ascii_name
    # An A-label that no U-label leads to stays as it is, or two forms would stand for one domain.
    return unicode_name if is_stable else ascii_name


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


@lru_cache(maxsize=8192)
def parse_address(text: str) -> Address:
    """Parse ``Mailbox = Local-part "@" ( Domain / address-literal )`` (RFC 5321 §4.1.2, RFC 6531 §3.3).

    The text must be the whole of the production, without angle brackets. Surrogates (undecodable octets) never match.
    Raises SyntaxFault: with the offset of the first character that cannot continue it.
    """
    if len(text) > limits.PATH:
        raise SyntaxFault("address too long", where="mailbox", offset=limits.PATH)
    match = _QUOTED.match(text) or _DOT_STRING.match(text)
    if match is None:
        raise SyntaxFault("malformed local part", where="mailbox", offset=0)
    end = match.end()
    if not text.startswith("@", end):
        raise SyntaxFault("the local part is not followed by @", where="mailbox", offset=end)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise SyntaxFault("not UTF-8", where="mailbox", offset=error.start) from None
    local = match.group()
    domain_text = text[end + 1 :]
    if not domain_text:
        raise SyntaxFault("no domain", where="mailbox", offset=end + 1)
    try:
        domain = fold_domain(domain_text)
    except SyntaxFault as fault:
        raise SyntaxFault(fault.detail, where="mailbox", offset=end + 1) from None
    return Address(_unquote(local) if local.startswith('"') else local, domain)
