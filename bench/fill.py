"""Fill one of our mailboxes through the store's own contract, while no server runs."""

from pathlib import Path

from posthouse.config.home import Home
from posthouse.core.flags import Flag
from posthouse.message.scan import scan
from posthouse.store.values import Delivery, Filing, NewEmail
from posthouse.toolbox import opened_toolbox

BATCH = 500


async def fill_inbox(home: Path, address: str, contents: list[bytes], count: int) -> None:
    """Put ``count`` messages into the inbox of ``address``, contents in turn."""
    emails = [NewEmail(content=content, facts=scan(content).facts()) for content in contents]
    async with opened_toolbox(Home(home)) as tools:
        account = await tools.store.account(address)
        assert account is not None
        filing = Filing(account=account.id, flags=Flag.SEEN, internal_date=1_760_000_000)
        for first in range(0, count, BATCH):
            batch = range(first, min(count, first + BATCH))
            await tools.store.commit(*(Delivery(email=emails[n % len(emails)], filings=(filing,)) for n in batch))
