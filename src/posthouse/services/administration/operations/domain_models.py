"""What operations on domains take and give. Tests: with ``operations.domain``."""

from __future__ import annotations

from pydantic import Field

from posthouse.services.administration.fields import DomainText, NoteText, Octets, OfficeText, OptionalAddressText
from posthouse.services.administration.operation import Input, Output, PageInput
from posthouse.store.directory_rows import DomainRow

_LOOKALIKE = "Allow a name that looks like another domain, or that mixes scripts."


class OneDomain(Input):
    """A domain."""

    name: DomainText = Field(description="Its name.")


class AddDomain(OneDomain):
    """A new domain."""

    office: OfficeText | None = Field(
        None, description='The post office it is in; "" is the server\'s own. Unset: that of who adds it.'
    )
    alias_of: OptionalAddressText = Field("", description="Make it another name of that domain.")
    catch_all: OptionalAddressText = Field("", description="Where mail for unknown addresses goes.")
    postmaster: OptionalAddressText = Field("", description="Who gets mail for its postmaster.")
    abuse: OptionalAddressText = Field("", description="Who gets reports of abuse.")
    note: NoteText = Field("", description="A note for administrators.")
    disabled: bool = Field(False, description="Mail for it is refused, and nobody in it signs in.")
    allow_lookalike: bool = Field(False, description=_LOOKALIKE)


class SetDomain(OneDomain):
    """Changes of a domain; what is not given stays, "" takes away."""

    office: OfficeText | None = Field(None, description='The post office it is in; "" is the server\'s own.')
    alias_of: OptionalAddressText | None = Field(
        None, description='Make it another name of that domain; "" makes it one of its own.'
    )
    catch_all: OptionalAddressText | None = Field(
        None, description='Where mail for unknown addresses goes; "" refuses it.'
    )
    postmaster: OptionalAddressText | None = Field(
        None, description='Who gets mail for its postmaster; "" is its first administrator.'
    )
    abuse: OptionalAddressText | None = Field(None, description='Who gets reports of abuse; "" is its postmaster.')
    note: NoteText | None = Field(None, description="A note for administrators.")
    disabled: bool | None = Field(None, description="Mail for it is refused, and nobody in it signs in.")


class ListDomains(PageInput):
    """Which domains."""

    office: OfficeText | None = Field(None, description='Only those of this post office; "" is the server\'s own.')
    alias_of: str | None = Field(None, max_length=1_000, description="Only the other names of this domain.")


class Domain(Output):
    """A domain with what it holds."""

    name: str = Field(description="Its name.")
    office: str = Field(description='The post office it is in; "" is the server\'s own.')
    alias_of: str = Field(description="The domain that it is another name of.")
    disabled: bool = Field(description="Whether mail for it is refused; also where its post office is disabled.")
    own_disabled: bool = Field(description="Whether the domain itself is disabled.")
    catch_all: str = Field(description="Where mail for unknown addresses goes.")
    postmaster: str = Field(description='Who gets mail for its postmaster; "" is its first administrator.')
    abuse: str = Field(description='Who gets reports of abuse; "" is its postmaster.')
    note: str = Field(description="A note for administrators.")
    accounts: int = Field(description="How many accounts it has.")
    aliases: int = Field(description="How many aliases it has.")
    groups: int = Field(description="How many groups it has.")
    quota: Octets = Field(description="What the quotas of its accounts come to, in octets.")
    revision: int = Field(description="Grows with every change.")


class Emptied(Output):
    """What was destroyed with a domain."""

    accounts: int = Field(description="How many accounts.")
    aliases: int = Field(description="How many aliases.")
    groups: int = Field(description="How many groups.")
    names: int = Field(description="How many other names of the domain.")


def as_domain(row: DomainRow) -> Domain:
    """Return what people see of a domain."""
    return Domain(
        name=row.name,
        office=row.office,
        alias_of=row.alias_of,
        disabled=row.disabled,
        own_disabled=row.own_disabled,
        catch_all=row.catch_all,
        postmaster=row.postmaster,
        abuse=row.abuse,
        note=row.note,
        accounts=row.accounts,
        aliases=row.aliases,
        groups=row.groups,
        quota=row.quota,
        revision=row.revision,
    )
