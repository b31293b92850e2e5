"""What operations on accounts take and give. Tests: with ``operations.account``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import Field, SecretStr

from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.fields import (
    AddressText,
    DomainText,
    NameText,
    NoteText,
    Octets,
    OfficeText,
    Size,
    moment,
)
from posthouse.services.administration.operation import Input, Output, PageInput
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountKind, AccountState, Level

MESSAGES_MOST = 1_000_000_000


class OneAccount(Input):
    """An account."""

    address: AddressText = Field(description="Its address, or one of its further addresses.")


class AddAccount(Input):
    """A new account."""

    address: AddressText = Field(description="Its address.")
    password: SecretStr | None = Field(None, description="Its password; without one nobody can sign in yet.")
    name: NameText = Field("", description="The name that people see.")
    given_name: NameText = Field("", description="The person's given name.")
    family_name: NameText = Field("", description="The person's family name.")
    note: NoteText = Field("", description="A note for administrators.")
    language: str = Field("", max_length=35, description="Of messages from the server, such as `en` or `de-AT`.")
    quota: Size | None = Field(
        None, description="How much mail it may keep, such as 2G; 0 means any amount. Unset: what `account.quota` says."
    )
    quota_messages: int | None = Field(
        None, ge=0, le=MESSAGES_MOST, description="How many messages it may keep; 0 means any number."
    )
    level: Level = Field(Level.USER, description="How much it administers: user, domain, office or server.")
    admin: bool = Field(False, description="It administers the server: short for the level `server`.")
    must_change_password: bool = Field(False, description="The password must be changed before anything else.")


class SetAccount(OneAccount):
    """Changes of an account; what is not given stays."""

    password: SecretStr | None = Field(None, description="A new password.")
    name: NameText | None = Field(None, description="The name that people see.")
    given_name: NameText | None = Field(None, description="The person's given name.")
    family_name: NameText | None = Field(None, description="The person's family name.")
    note: NoteText | None = Field(None, description="A note for administrators.")
    language: str | None = Field(None, max_length=35, description="Of messages from the server.")
    quota: Size | None = Field(None, description="How much mail it may keep, such as 2G; 0 means any amount.")
    quota_messages: int | None = Field(
        None, ge=0, le=MESSAGES_MOST, description="How many messages it may keep; 0 means any number."
    )
    level: Level | None = Field(None, description="How much it administers: user, domain, office or server.")
    admin: bool | None = Field(None, description="Whether it administers the server.")
    disabled: bool | None = Field(None, description="A disabled account gets no mail, and nobody signs in as it.")
    must_change_password: bool | None = Field(None, description="The password must be changed before anything else.")


class ListAccounts(PageInput):
    """Which accounts."""

    domain: str | None = Field(None, max_length=1_000, description="Only those of this domain.")
    office: OfficeText | None = Field(None, description='Only those of this post office; "" is the server\'s own.')
    state: AccountState | None = Field(None, description="Only those in this state.")
    level: Level | None = Field(None, description="Only those that administer this much.")
    kind: AccountKind | None = Field(None, description="Only people, or only shared mailboxes.")


class FindText(PageInput):
    """What to look for."""

    text: str = Field(min_length=1, max_length=200, description="A part of an address or a name, in any case.")
    domain: DomainText | None = Field(None, description="Only in this domain.")
    limit: int = Field(50, ge=1, le=1_000, description="How many there are on a page.")


class RemoveInput(OneAccount):
    """What to remove."""

    now: bool = Field(False, description="Destroy it with all its mail at once, without a time in which it comes back.")


class RenameInput(OneAccount):
    """From which address to which."""

    new_address: AddressText = Field(description="The new address.")
    keep: bool = Field(True, description="Keep the old address as a further one, so that mail to it still arrives.")


class DisableInput(OneAccount):
    """What to disable."""

    sign_in_only: bool = Field(False, description="Mail still arrives; only nobody can sign in.")


class FurtherAddress(OneAccount):
    """An account and a further address of it."""

    further: AddressText = Field(description="The further address.")


class SetPassword(OneAccount):
    """A new password."""

    password: SecretStr = Field(description="The new password.")
    current: SecretStr | None = Field(None, description="The password so far; needed to change one's own.")
    must_change: bool = Field(False, description="It must be changed before anything else.")


class RandomPassword(OneAccount):
    """Whose password is made anew."""

    must_change: bool = Field(False, description="It must be changed before anything else.")


class MadePassword(Output):
    """A password that was made at random. It is told once and kept nowhere."""

    address: str = Field(description="The account.")
    password: str = Field(description="Its new password.")


class SignInSeen(Output):
    """The last sign-in."""

    at: datetime | None = Field(description="When.")
    address: str = Field(description="From which IP address.")
    protocol: str = Field(description="By which protocol.")


class Account(Output):
    """An account."""

    address: str = Field(description="Its first address.")
    name: str = Field(description="The name that people see.")
    given_name: str = Field(description="The person's given name.")
    family_name: str = Field(description="The person's family name.")
    note: str = Field(description="A note for administrators.")
    language: str = Field(description='Of messages from the server; "" where its domain decides.')
    kind: AccountKind = Field(description="A person, or a shared mailbox.")
    state: AccountState = Field(description="What it may do.")
    disabled: bool = Field(description="Whether it takes no mail.")
    held_until: datetime | None = Field(description="When a removed account is destroyed.")
    level: Level = Field(description="How much it administers.")
    quota: Octets = Field(description="How much mail it may keep, in octets; 0 means any amount.")
    quota_messages: int = Field(description="How many messages it may keep; 0 means any number.")
    has_password: bool = Field(description="Whether it has a password of our own.")
    must_change_password: bool = Field(description="Whether the password must be changed first.")
    source: str = Field(description='The sign-in source it came from; "" for one made here.')
    created: datetime | None = Field(description="When it was made.")
    revision: int = Field(description="Grows with every change.")


class AccountDetail(Account):
    """An account with all that belongs to it."""

    addresses: list[str] = Field(description="Its further addresses.")
    groups: list[str] = Field(description="The groups it is in, also through other groups.")
    used: Octets = Field(description="How much mail it keeps, in octets.")
    messages: int = Field(description="How many messages it keeps.")
    last_sign_in: SignInSeen | None = Field(description="The last sign-in.")


class FoundItem(Output):
    """Something that was found."""

    kind: str = Field(description="account, alias, group, address or domain.")
    address: str = Field(description="Its address or name.")
    name: str = Field(description="The name that people see.")
    account: str = Field(description="Whose further address it is, for an address.")


def as_account(row: AccountRow) -> Account:
    """Return what people may see of an account: never the hash, but whether there is a password."""
    return Account(**account_fields(row))


def seen_by(caller: Caller, row: AccountRow) -> Account:
    """Return what a caller sees of an account: its owner no note, for that is between administrators."""
    return as_account(replace(row, note="") if caller.role is Role.ACCOUNT else row)


def account_fields(row: AccountRow) -> dict[str, Any]:
    """Return the fields of ``Account``."""
    return {
        "address": row.address,
        "name": row.display_name,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "note": row.note,
        "language": row.language,
        "kind": row.kind,
        "state": row.state,
        "disabled": row.disabled,
        "held_until": moment(row.held_until),
        "level": row.level,
        "quota": row.quota_bytes,
        "quota_messages": row.quota_messages,
        "has_password": bool(row.password_hash),
        "must_change_password": row.must_change_password,
        "source": row.source,
        "created": moment(row.created),
        "revision": row.revision,
    }
