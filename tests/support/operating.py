"""Operations on the home of a running server, as its administrator on the machine, without the cost of a process."""

from __future__ import annotations

from typing import Any

from posthouse.cli.here import Here
from posthouse.cli.performing import Order
from posthouse.config.home import Home
from posthouse.services.administration.catalogue import operation
from tests.support.server import PosthouseServer


def operate(house: PosthouseServer, name: str, /, **fields: Any) -> dict[str, Any]:
    """Perform an operation by its name ``noun.verb``; return its answer."""
    wanted = operation(name)
    with Here(Home(house.home)) as here:
        return dict(here.answer(Order(operation=wanted, given=wanted.input(**fields))))


def commit(house: PosthouseServer, *changes: Any) -> None:
    """Write values of the store that no operation writes."""

    async def action(tools: Any) -> None:
        await tools.store.commit(*changes)

    house.tools(action)
