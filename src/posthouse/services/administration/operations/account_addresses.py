"""The addresses of an account: another first one, further ones.

Both addresses must be within the caller's reach. Tests:
``tests/unit/services/administration/operations/test_account_addresses.py``.
"""

from __future__ import annotations

from dataclasses import replace

from posthouse.services.administration import access, limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.operation import Effect, Rule, on_address, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.account_models import (
    Account,
    FurtherAddress,
    RenameInput,
    as_account,
)
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_values import PutAddress, RemoveAddress, RenameAccount
from posthouse.store.values import Change


@operation(
    "account",
    "rename",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/rename",
    effect=Effect.CHANGE,
    arguments=("address", "new_address"),
)
async def rename(call: Call, given: RenameInput) -> Account:
    """Give an account another first address, also in another domain; its mail and settings go with it."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    new = words.own_address(given.new_address, "new_address")
    await reading.within_reach(call, new)
    home = await reading.home_of(call, new, "new_address")
    if new == old.address:
        raise Refused(f"{new} is its address already", "Give another one.", field="new_address")
    store = call.desk.store
    further = await store.addresses(old.id)
    changes: list[Change] = [RenameAccount(address=old.address, new_address=new, if_revision=call.if_revision,
                                           ceilings=limits.ceilings(call.desk.settings, home))]  # fmt: skip
    if new not in further:
        await reading.refuse_taken(call, new, "new_address")
    if given.keep:
        changes.append(PutAddress(address=old.address, account=new))
    await call.commit(
        *changes,
        subject=subject_of("account", old.address),
        before={"address": old.address, "addresses": further},
        after={"address": new, "addresses": sorted({*further, old.address} - {new}) if given.keep else further},
        place=await reading.place_of(call, old.address),
    )
    return as_account((await store.account(new) if not call.dry_run else None) or replace(old, address=new))


@operation(
    "account",
    "add-address",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/addresses",
    effect=Effect.CHANGE,
    arguments=("address", "further"),
)
async def add_address(call: Call, given: FurtherAddress) -> Account:
    """Give an account a further address, in any domain of ours."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    new = words.own_address(given.further, "further")
    await reading.within_reach(call, new)
    await reading.home_of(call, new, "further")
    await reading.refuse_taken(call, new, "further")
    await call.commit(
        PutAddress(address=new, account=old.address),
        subject=subject_of("account", old.address),
        after={"further": new},
        place=await reading.place_of(call, old.address),
    )
    return as_account(await call.desk.store.account(old.address) or old)


@operation(
    "account",
    "remove-address",
    rule=Rule(Role.DOMAIN, on_address()),
    http="DELETE /accounts/{address}/addresses/{further}",
    effect=Effect.CHANGE,
    arguments=("address", "further"),
)
async def remove_address(call: Call, given: FurtherAddress) -> Account:
    """Take a further address away from an account."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    gone = words.own_address(given.further, "further")
    if gone == old.address:
        raise Refused(
            f"{gone} is the first address of the account",
            "Give it another first: posthouse account rename.",
            field="further",
        )
    if gone not in await call.desk.store.addresses(old.id):
        raise reading.missing(f"further address {gone} of {old.address}", field="further")
    await call.commit(
        RemoveAddress(address=gone, account=old.address),
        subject=subject_of("account", old.address),
        before={"further": gone},
        place=await reading.place_of(call, old.address),
    )
    return as_account(await call.desk.store.account(old.address) or old)


OPERATIONS = (rename, add_address, remove_address)
