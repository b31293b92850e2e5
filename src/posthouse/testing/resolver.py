"""A resolver that answers from a table, for tests and simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posthouse.services.resolver.contract import AddressAnswer, Finding, MxAnswer, MxHost


class FakeResolver:
    """Implements ``services.resolver.contract.Resolver``.

    Args:
        mx: domain -> ``[(preference, exchange), ...]``, or a ``Finding`` that is not FOUND.
        addresses: host -> addresses, or a ``Finding`` that is not FOUND.

    Names in neither table do not exist (NO_NAME); names in one have no data of the other kind.
    ``questions`` holds what was asked, as ``("mx", name)`` and ``("addresses", name)``.
    """

    def __init__(
        self,
        mx: Mapping[str, Sequence[tuple[int, str]] | Finding] | None = None,
        addresses: Mapping[str, Sequence[str] | Finding] | None = None,
    ) -> None:
        self.mx_table = dict(mx or {})
        self.address_table = dict(addresses or {})
        self.questions: list[tuple[str, str]] = []

    async def mx(self, domain: str) -> MxAnswer:
        """Answer from the table."""
        self.questions.append(("mx", domain))
        entry = self.mx_table.get(domain)
        if entry is None:
            return MxAnswer(finding=self._nothing(domain, self.address_table), ttl=60.0, detail="from the table")
        if isinstance(entry, Finding):
            return MxAnswer(finding=entry, detail="from the table")
        hosts = tuple(sorted(MxHost(preference, exchange) for preference, exchange in entry))
        return MxAnswer(finding=Finding.FOUND, hosts=hosts, ttl=60.0)

    async def addresses(self, host: str) -> AddressAnswer:
        """Answer from the table."""
        self.questions.append(("addresses", host))
        entry = self.address_table.get(host)
        if entry is None:
            return AddressAnswer(finding=self._nothing(host, self.mx_table), ttl=60.0, detail="from the table")
        if isinstance(entry, Finding):
            return AddressAnswer(finding=entry, detail="from the table")
        return AddressAnswer(finding=Finding.FOUND, addresses=tuple(entry), ttl=60.0)

    def close(self) -> None:
        """Nothing to give back."""

    @staticmethod
    def _nothing(name: str, other_table: Mapping[str, object]) -> Finding:
        return Finding.NO_DATA if name in other_table else Finding.NO_NAME
