"""A worker that commits in a loop and tells on standard output what was acknowledged, until it is killed.

Each line is JSON: what was committed, after the commit returned. Run by ``test_store_crash``.
"""

import asyncio
import json
import random
import sys
from pathlib import Path

from posthouse.core.flags import Flag
from posthouse.store.values import (
    Copy,
    Delivery,
    Expunge,
    Filing,
    FlagChange,
    FlagMode,
    NewEmail,
    QueueResult,
    RecipientResult,
    RecipientState,
)
from tests.support.stores import EPOCH, facts, furnish, make_store, queued

SESSIONS = 12
LARGE = 600_000  # goes through staged chunks


def tell(**record):
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def message(label, size):
    content = f"Subject: {label}\r\n\r\n".encode() + b"x" * size
    return NewEmail(content=content, facts=facts(content, subject=label))


async def session(store, account, label, dice, at):
    """Deliver, queue, flag, move and expunge, telling each acknowledged step."""
    archive = (await store.mailbox_named(account, "Archive")).id
    inbox = (await store.mailbox_named(account, "INBOX")).id
    number = 0
    while True:
        number += 1
        name = f"{label}.{number}"
        step = dice.random()
        email = message(name, LARGE if step < 0.02 else dice.choice((10, 2_000, 9_000)))
        if step > 0.8:
            value = queued("far@example.net", text=name, at=at)
            await store.commit(value)
            tell(kind="queued", id=value.queue_id)
            if step > 0.9:
                result = RecipientResult(queue_id=value.queue_id, number=0, state=RecipientState.DELIVERED)
                tell(kind="relaying", id=value.queue_id)
                await store.commit(QueueResult(results=(result,)))
                tell(kind="relayed", id=value.queue_id)
            continue
        delivered = await store.commit(Delivery(email=email, filings=(Filing(account=account),)))
        uid = delivered.filed[0].uid
        tell(kind="filed", name=name, uid=uid)
        uids = ((uid, uid),)
        if step < 0.2:
            await store.commit(
                FlagChange(account=account, mailbox=inbox, uids=uids, mode=FlagMode.ADD, flags=Flag.SEEN)
            )
            tell(kind="seen", name=name)
        elif step < 0.3:
            await store.commit(Copy(account=account, mailbox=inbox, uids=uids, target=archive, move=True))
            tell(kind="moved", name=name)
        elif step < 0.4:
            tell(kind="expunging", name=name)  # so that one that was written and not told is known
            await store.commit(Expunge(account=account, mailbox=inbox, uids=uids, only_deleted=False))
            tell(kind="expunged", name=name)


async def main(home, worker, seed):
    dice = random.Random(seed)
    async with make_store(Path(home), worker=worker) as store:
        found = await store.account("ann@example.org")
        account = found.id if found else (await furnish(store, "ann@example.org"))[0]
        tell(kind="ready")
        at = EPOCH + seed * 1_000 + worker * 100  # so that no two workers make the same queue id
        sessions = [session(store, account, f"{seed}.{worker}.{n}", dice, at) for n in range(SESSIONS)]

        async def keep_house():
            while True:
                await store.housekeep()
                await asyncio.sleep(0.02)

        await asyncio.gather(*sessions, keep_house())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
