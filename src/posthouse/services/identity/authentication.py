"""Whether a name and a secret go together, for every protocol that signs people in, and whether that person may.

The order of the questions: whose name is it; has a person banned the client; is the password remembered as right, or
an app password; has counting banned the client; what do the sources of the domain say (``sources``; our own store is
one). Then, of an account whose own password was right: does it have a second factor, so that the password alone is
not enough; of every account: is it active, may it use this protocol, must the password be changed first. Only who
showed the right secret learns which of these it was.

A source speaks for the domains that name it and for no others: whom it grants is somebody of such a domain, or nobody.
A source that cannot answer makes a temporary refusal, never a wrong password. Guessing is counted and banned by
``guard``. Bearer tokens are never remembered. RFC 4954 §6 (codes), RFC 5248 (5.7.13). Not here: SASL mechanisms
(``protocols.sasl``), accounts for people whom only a source knows (``Newcomers``).
Tests: ``tests/unit/services/identity/test_authentication.py``, ``test_sign_in_attacks.py``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from posthouse.config.definitions.auth import PROTOCOLS, SECOND_FACTOR_MAIL
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.address import parse_address
from posthouse.core.clock import Clock
from posthouse.core.errors import Fault, SyntaxFault, Unavailable
from posthouse.core.outcome import Outcome, defer, done, reject
from posthouse.core.status import Detail
from posthouse.services.identity.app_passwords import allows, app_password_verifier
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.guard import AUTOMATIC, Guard
from posthouse.services.identity.logins import Logins
from posthouse.services.identity.passwords import PASSWORD_OCTETS, Passwords
from posthouse.services.identity.second_factor import SecondFactor
from posthouse.services.identity.shares import right_in
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    SourceAnswer,
    SourcePerson,
    Unknown,
    Wrong,
    login_of,
)
from posthouse.services.identity.sources.registry import Sources
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, BanRow, CredentialRow
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    CredentialKind,
    PutAccount,
    ShareRight,
)

LOGIN_LENGTH: Final = 320  # characters: 64 of a local part, an @, 255 of a domain (RFC 5321 §4.5.3.1)
SEPARATOR: Final = "*"  # in ``shared@example.org*anna@example.org``: anna signs in to the shared mailbox

SIGNED_IN = done("Authentication successful", code=235, detail_code=status.SECURITY_OTHER, rule="auth.password")
WRONG = reject("Authentication credentials invalid", code=535, detail_code=status.BAD_CREDENTIALS, rule="auth.password")
BANNED = defer(
    "Too many failed sign-ins, try again later",
    code=454,
    detail_code=status.TEMPORARY_AUTHENTICATION_FAILURE,
    rule="auth.ban",
    setting="auth.failure_limit",
)
NOT_NOW = defer(
    "Signing in is not possible now, try again later",
    code=454,
    detail_code=status.TEMPORARY_AUTHENTICATION_FAILURE,
    rule="auth.sources",
    setting="auth.sources",
)
DISABLED = reject("This account is disabled", code=535, detail_code=Detail(7, 13), rule="auth.state")
NOT_THIS_WAY = reject(
    "This account may not sign in by this protocol",
    code=535,
    detail_code=status.NOT_AUTHORIZED,
    rule="auth.protocols",
    setting="auth.protocols",
)
MUST_CHANGE = reject(
    "The password must be changed before it can be used",
    code=535,
    detail_code=status.NOT_AUTHORIZED,
    rule="auth.must_change",
)
NEEDS_APP_PASSWORD = reject(
    "This account needs an app password here",
    code=535,
    detail_code=status.NOT_AUTHORIZED,
    rule="auth.second_factor",
    setting="auth.second_factor_mail",
)
NEEDS_CODE = reject(
    "A one-time code is needed too", code=535, detail_code=status.NOT_AUTHORIZED, rule="auth.second_factor"
)
NO_ACCOUNT = reject(
    "There is no account for this person here",
    code=535,
    detail_code=status.NOT_AUTHORIZED,
    rule="auth.newcomers",
    setting="auth.newcomers",
)
NOT_SHARED = reject(
    "Acting as that account is not allowed", code=535, detail_code=status.NOT_AUTHORIZED, rule="auth.share"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in came to.

    Attributes:
        outcome: granted, or why not.
        account: whose mail it is; set exactly where the outcome grants.
        actor: who signed in; another than ``account`` in a shared mailbox.
        right: what the actor may do in a shared mailbox; None for his own account.
        credential: the id of the app password that was used; "" for the account's own password.
    """

    outcome: Outcome
    account: AccountRow | None = None
    actor: AccountRow | None = None
    right: ShareRight | None = None
    credential: str = ""


class Newcomers(Protocol):
    """Makes accounts for people whom a source granted and the directory does not have."""

    async def welcome(self, person: SourcePerson, source: str) -> AccountRow | None:
        """Return the new account; None where its domain does not take newcomers. Raises Unavailable."""
        ...


class Offer(Protocol):
    """What a mail program offered, by whatever mechanism."""

    @property
    def mechanism(self) -> str:
        """The mechanism's name."""
        ...

    @property
    def authzid(self) -> str:
        """As whom to act; "" for the same."""
        ...

    @property
    def login(self) -> str:
        """The name."""
        ...

    @property
    def password(self) -> str:
        """The secret."""
        ...

    @property
    def is_token(self) -> bool:
        """Whether the secret is a bearer token."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    login: str
    secret: bytes
    client: ClientInfo
    protocol: str
    code: str


class Authenticator:
    """Signs people in.

    Args:
        directory: whose an address is.
        passwords: checks hashes and remembers what was right.
        store: the accounts and their credentials.
        settings: in force.
        clock: for ends of credentials.
        guard: counts wrong secrets; by default one of its own.
        sources: who else is asked; None: only our own store.
        second_factor: one-time codes; None: no account has any.
        notes: where last sign-ins are noted; None: nowhere.
        newcomers: makes accounts at a first sign-in; None: nobody new is let in.
        sleep: what waits.
    """

    def __init__(
        self,
        directory: Directory,
        passwords: Passwords,
        store: Store,
        settings: Settings,
        clock: Clock,
        *,
        guard: Guard | None = None,
        sources: Sources | None = None,
        second_factor: SecondFactor | None = None,
        notes: SignInNotes | None = None,
        newcomers: Newcomers | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._logins = Logins(directory, store, settings)
        self._passwords = passwords
        self._store = store
        self._settings = settings
        self._clock = clock
        self.guard = guard or Guard(store, settings, clock, secrets.token_bytes(32))
        self._sources = sources
        self._second_factor = second_factor
        self._notes = notes
        self._newcomers = newcomers
        self._sleep = sleep

    async def verify(self, offer: Offer, client: ClientInfo, *, protocol: str) -> SignIn:
        """Sign in with what a mail program offered. Returns and raises as ``verify_plain``."""
        if offer.is_token:
            return await self.verify_token(
                offer.password,
                offer.mechanism,
                client,
                login=offer.login,
                protocol=protocol,
                authzid=offer.authzid,
            )
        secret = offer.password.encode("utf-8", "surrogateescape")
        return await self.verify_plain(offer.login, secret, client, protocol=protocol, authzid=offer.authzid)

    async def verify_plain(
        self, login: str, password: bytes, client: ClientInfo, *, protocol: str = "", authzid: str = "", code: str = ""
    ) -> SignIn:
        """Sign in with a name and a password.

        Args:
            login: a full address, a short name where it is clear whose, or ``SHARED*LOGIN`` (``SEPARATOR``).
            password: the account's, or an app password.
            client: who is at the other end.
            protocol: ``imap``, ``pop3``, ``smtp``, ``api``: what must be allowed; "" for none in particular.
            authzid: as whom to act; a shared mailbox, or the account itself (RFC 4616 §2).
            code: a one-time code; used by ``api`` only.

        Returns: 235; 535 (5.7.8 for every way to be wrong); 454 4.7.0 where it cannot be said now. Raises Unavailable.
        """
        shared, separator, own = login.rpartition(SEPARATOR)
        if separator and "@" in shared and not authzid:
            login, authzid = own, shared
        attempt = _Attempt(login=login, secret=password, client=client, protocol=protocol, code=code)
        return await self._act_as(await self._verify(attempt), authzid)

    async def verify_token(
        self, token: str, mechanism: str, client: ClientInfo, *, login: str = "", protocol: str = "", authzid: str = ""
    ) -> SignIn:
        """Sign in with a bearer token of an OpenID provider (RFC 7628 §3).

        ``login`` is the name that came with it, "" where none did: it must be the token's, or a shared mailbox that
        its owner may act as. A second factor is the provider's matter. Returns and raises as ``verify_plain``.
        """
        shared, separator, own = login.rpartition(SEPARATOR)
        if separator and "@" in shared and not authzid:
            login, authzid = own, shared
        name = login.lower()[:LOGIN_LENGTH]
        attempt = _Attempt(login=login, secret=token.encode(), client=client, protocol=protocol, code="")
        ban = await self.guard.ban_of(client.address, name)
        if ban is not None:
            return SignIn(_banned(ban))
        async with self.guard.turn(client.address):
            answer = await self._ask_token(token, mechanism, login, client)
        if isinstance(answer, Down):
            return SignIn(NOT_NOW.because(f"{answer.source}: {answer.detail}"))
        if not isinstance(answer, Granted):
            return await self._failed(attempt, None, _why(answer))
        account = await self._person(answer)
        if account is None:
            return SignIn(NO_ACCOUNT)
        return await self._act_as(self._admitted(attempt, account), authzid or login)

    async def _ask_token(self, token: str, mechanism: str, login: str, client: ClientInfo) -> SourceAnswer:
        if self._sources is None or len(login) > LOGIN_LENGTH:
            return Unknown()
        domain = await self._logins.domain_of(login, client.local_address) if login else ""
        answer = await self._sources.ask_token(token, mechanism, domain)
        if isinstance(answer, Granted) and login and answer.person.address != login.lower():
            named = await self._logins.account(login, client.local_address)
            if named is None or (named.address != answer.person.address and named.kind is AccountKind.PERSON):
                return Wrong(f"the token is of {answer.person.address}")
        return answer

    # -- one attempt ----------------------------------------------------------------------------------------------

    async def _verify(self, attempt: _Attempt) -> SignIn:
        if len(attempt.login) > LOGIN_LENGTH:
            return await self._failed(attempt, None, "the name is too long")
        account = await self._logins.account(attempt.login, attempt.client.local_address)
        name = account.address if account is not None else attempt.login.lower()
        ban = await self.guard.ban_of(attempt.client.address, name)
        if account is not None and (ban is None or ban.by == AUTOMATIC):
            known = await self._known(attempt, account)
            if known is not None:
                return known
        if ban is not None:
            return SignIn(_banned(ban))
        async with self.guard.turn(attempt.client.address):
            ban = await self.guard.ban_of(attempt.client.address, name)
            if ban is not None:
                return SignIn(_banned(ban))
            answer = await self._ask(attempt, account)
        return await self._answered(attempt, account, answer)

    async def _known(self, attempt: _Attempt, account: AccountRow) -> SignIn | None:
        """Admit by a password that is remembered, or by an app password; both cost nothing and cannot be guessed."""
        if self._passwords.is_remembered(self._memory(account), attempt.secret):
            return await self._with_second_factor(attempt, account)
        used = await self._app_password(account, attempt.secret)
        return self._by_app_password(attempt, account, used) if used is not None else None

    async def _ask(self, attempt: _Attempt, account: AccountRow | None) -> SourceAnswer:
        async def own() -> SourceAnswer:
            encoded = account.password_hash if account is not None else ""
            is_known = account is not None and await self.guard.is_home(attempt.client.address, account.address)
            is_right = await self._passwords.verify(encoded, attempt.secret, is_known=is_known)
            if account is None or not encoded:
                return Unknown()
            return Granted(SourcePerson(address=account.address)) if is_right else Wrong("own")

        if len(attempt.secret) > PASSWORD_OCTETS or self._sources is None:
            return await own()
        return await self._sources.ask_password(await self._login(attempt, account), attempt.secret, own)

    async def _login(self, attempt: _Attempt, account: AccountRow | None) -> Login:
        name = account.address if account is not None else attempt.login
        domain = await self._logins.domain_of(name, attempt.client.local_address)
        login = login_of(name, default_domain=domain, protocol=attempt.protocol, client=attempt.client.address)
        return replace(login, name=attempt.login)

    async def _answered(self, attempt: _Attempt, account: AccountRow | None, answer: SourceAnswer) -> SignIn:
        if isinstance(answer, Down):
            return SignIn(NOT_NOW.because(f"{answer.source}: {answer.detail}"))
        if not isinstance(answer, Granted):
            return await self._failed(attempt, account, _why(answer))
        if answer.source:
            account = await self._person(answer)
        if account is None:
            return SignIn(NO_ACCOUNT)
        await self._remember(account, attempt.secret, answer)
        return await self._with_second_factor(attempt, account)

    async def _person(self, answer: Granted) -> AccountRow | None:
        """Return the account of somebody a source granted, made now where there is none.

        None where his domain does not name the source: a directory of one customer speaks for nobody else's people.
        """
        person = answer.person
        try:
            address = parse_address(person.address)
        except SyntaxFault:
            return None
        known = await self._logins.account(str(address))
        domain = (known.address if known is not None else str(address)).rpartition("@")[2]
        if self._sources is None or answer.source not in self._sources.order(domain):
            return None
        if known is not None or self._newcomers is None or person.is_disabled:
            return known if not person.is_disabled else None
        return await self._newcomers.welcome(person, answer.source)

    async def _failed(self, attempt: _Attempt, account: AccountRow | None, detail: str) -> SignIn:
        name = account.address if account is not None else attempt.login.lower()[:LOGIN_LENGTH]
        try:
            penalty = await self.guard.failed(attempt.client.address, name, attempt.secret)
        except Unavailable:
            return SignIn(WRONG.because(detail))
        if penalty.delay:
            await self._sleep(penalty.delay)
        return SignIn(WRONG.because(f"{detail}; {penalty.ban.reason}" if penalty.ban else detail))

    # -- what comes after the right secret --------------------------------------------------------------------------

    async def _with_second_factor(self, attempt: _Attempt, account: AccountRow) -> SignIn:
        """Admit an account whose own password was right; where it has a second factor that is not all."""
        if self._second_factor is not None and await self._second_factor.is_on(account):
            if attempt.protocol == "api":
                refusal = await self._check_code(attempt, account)
                if refusal is not None:
                    return refusal
            elif self._app_passwords_only(account):
                return SignIn(NEEDS_APP_PASSWORD)
        return self._admitted(attempt, account)

    async def _check_code(self, attempt: _Attempt, account: AccountRow) -> SignIn | None:
        """Use the one-time code up; None where it was right. A wrong one is counted like a wrong password."""
        if not attempt.code or self._second_factor is None:
            return SignIn(NEEDS_CODE)
        ban = await self.guard.ban_of(attempt.client.address, account.address)
        if ban is not None:
            return SignIn(_banned(ban))
        if await self._second_factor.accept(account, attempt.code):
            return None
        failed = await self._failed(replace(attempt, secret=attempt.code.encode("utf-8", "replace")), account, "a code")
        return SignIn(NEEDS_CODE.because(f"the code is wrong or was used before; {failed.outcome.detail}"))

    def _app_passwords_only(self, account: AccountRow) -> bool:
        domain = account.address.rpartition("@")[2]
        return self._settings.get(SECOND_FACTOR_MAIL, domain=domain) == "app-password"

    def _by_app_password(self, attempt: _Attempt, account: AccountRow, used: CredentialRow) -> SignIn:
        if attempt.protocol and not allows(used.scopes, attempt.protocol):
            return SignIn(NOT_THIS_WAY.because(f"the app password {used.name!r} is for {used.scopes}"))
        if self._notes is not None:
            self._notes.credential(used.id, attempt.client.address)
        sign_in = self._admitted(attempt, account)
        return replace(sign_in, credential=used.id) if sign_in.account is not None else sign_in

    async def _app_password(self, account: AccountRow, secret: bytes) -> CredentialRow | None:
        verifier = app_password_verifier(account.id, secret)
        if not verifier:
            return None
        row = await self._store.credential_by_verifier(CredentialKind.APP_PASSWORD, verifier)
        if row is None or row.account != account.address or 0 < row.expires <= self._clock.now():
            return None
        return row

    def _admitted(self, attempt: _Attempt, account: AccountRow) -> SignIn:
        refusal = self._refusal(attempt, account)
        if refusal is not None:
            return SignIn(refusal)
        self.guard.succeeded(attempt.client.address, account.address)
        if self._notes is not None:
            self._notes.account(account.id, attempt.client.address, attempt.protocol)
        return SignIn(SIGNED_IN, account, account)

    def _refusal(self, attempt: _Attempt, account: AccountRow) -> Outcome | None:
        if account.kind is not AccountKind.PERSON:
            return WRONG.because("nobody signs in as a shared mailbox")
        if account.state is not AccountState.ACTIVE:
            return DISABLED.because(f"the account is {account.state.value}")
        if attempt.protocol and attempt.protocol not in self._settings.get(PROTOCOLS, account=account.address):
            return NOT_THIS_WAY
        if account.must_change_password and attempt.protocol != "api":
            return MUST_CHANGE
        return None

    async def _act_as(self, sign_in: SignIn, authzid: str) -> SignIn:
        """Turn a sign-in into one to the shared mailbox that was asked for."""
        account = sign_in.account
        if account is None or not authzid or authzid.lower() == account.address:
            return sign_in
        shared = await self._logins.account(authzid)
        if shared is not None and shared.id == account.id:
            return sign_in
        if shared is None or shared.kind is not AccountKind.SHARED or shared.state is not AccountState.ACTIVE:
            return SignIn(NOT_SHARED)
        right = await right_in(self._store, shared.address, account.address)
        return replace(sign_in, account=shared, right=right) if right is not None else SignIn(NOT_SHARED)

    # -- memory and hashes ------------------------------------------------------------------------------------------

    def _memory(self, account: AccountRow) -> str:
        """Return under what a right password of an account is remembered: a changed one is forgotten at once.

        So is every one of a domain whose sources changed.
        """
        sources = ",".join(self._sources.order(account.address.rpartition("@")[2])) if self._sources else ""
        return f"{sources}\0{account.password_hash}\0{account.source}\0{account.address}\0{account.external_id}"

    async def _remember(self, account: AccountRow, secret: bytes, answer: Granted) -> None:
        if not answer.source:
            account = await self._renew(account, secret)
        self._passwords.note_right(self._memory(account), secret)

    async def _renew(self, account: AccountRow, password: bytes) -> AccountRow:
        """Replace a hash of another scheme or cost. A failure is no reason to refuse; the next sign-in tries again."""
        if not self._passwords.needs_rehash(account.password_hash):
            return account
        encoded = await self._passwords.hash(password)
        try:
            await self._store.commit(
                PutAccount(
                    address=account.address,
                    password_hash=encoded,
                    must_be_new=False,
                    if_revision=account.revision,
                )
            )
        except Fault:
            return account
        return replace(account, password_hash=encoded)


def _banned(ban: BanRow) -> Outcome:
    return BANNED.because(f"{ban.reason}; banned until {ban.until:.0f}")


def _why(answer: SourceAnswer) -> str:
    return answer.detail if isinstance(answer, Wrong) else "nobody knows the name"
