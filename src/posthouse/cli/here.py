"""Operations on a home of this machine, by the user who may read it. Tests: ``tests/unit/cli/test_performing.py``."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, TypeVar

from posthouse.cli.performing import File, Order
from posthouse.config.home import Home
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.operation import Download

T = TypeVar("T")
_CHUNK: Final = 1 << 18
_WITHOUT_STORE: Final = frozenset({"check.run", "check.relay"})  # these are for when it cannot be opened, too


class Here:
    """Performs on a home; its store is opened with the first order."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._desk: Desk | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the store."""
        try:
            self._run(self._opened.aclose())
        finally:
            self._runner.close()

    def answer(self, order: Order) -> Mapping[str, Any]:
        """Return the answer."""
        if order.operation.name in _WITHOUT_STORE:
            return self._run(self._check(order))
        found = self._run(self._perform(order))
        told: Mapping[str, Any] = found.model_dump(mode="json")
        return told

    def items(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield the items of all pages."""
        given = order.given
        while True:
            page = self._run(self._perform(order, given))
            for item in page.items:
                yield item.model_dump(mode="json")
            if not page.next:
                return
            given = given.model_copy(update={"cursor": page.next})

    def file(self, order: Order) -> File:
        """Return the file."""
        made: Download = self._run(self._perform(order))
        return File(media_type=made.media_type, name=made.name, chunks=self._each(made.chunks))

    def events(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield what happens."""
        for event in self._each(self._run(self._perform(order))):
            yield event.model_dump(mode="json")

    def _each(self, source: AsyncIterator[T]) -> Iterator[T]:
        try:
            while True:
                try:
                    yield self._run(anext(source))  # type: ignore[arg-type]  # an async generator's is a coroutine
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                self._run(close())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        async def whole() -> T:  # a generator's step is awaitable and yet no coroutine
            return await work

        return self._runner.run(whole())

    async def _perform(self, order: Order, given: Any = None) -> Any:
        desk = await self._open()
        call = Call(
            caller=Caller.on_this_machine(getpass.getuser()),
            desk=desk,
            dry_run=order.dry_run,
            if_revision=order.if_revision,
            progress=order.progress,
            upload=_chunks(order.upload) if order.upload is not None else None,
            upload_name=_name_of(order.upload),
        )
        return await perform(order.operation, call, order.given if given is None else given)

    async def _open(self) -> Desk:
        if self._desk is None:
            from posthouse.toolbox import opened_toolbox

            tools = await self._opened.enter_async_context(opened_toolbox(self._home))
            self._desk = await tools.desk()
        return self._desk

    async def _check(self, order: Order) -> Mapping[str, Any]:
        from posthouse.checking import check_home
        from posthouse.services.administration.diagnosis.findings import Severity
        from posthouse.services.administration.operations import check

        is_all = order.operation.name == "check.run"
        relay = {"only": ["relay.*"], "force": order.given.force}
        given = order.given if is_all else check.RunChecks.model_validate(relay)
        report = await check_home(self._home, check.selection_of(given))
        return check.report_view(report, Severity(given.severity)).model_dump(mode="json")


def _name_of(file: BinaryIO | None) -> str:
    name = getattr(file, "name", "")
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else ""


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk
