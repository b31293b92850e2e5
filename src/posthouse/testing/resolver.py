"""A resolver that answers from a table, for tests and simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posthouse.services.resolver.contract import AddressAnswer, Finding, MxAnswer, MxHost, RecordsAnswer


class FakeResolver:
    """Implements ``services.resolver.contract.Resolver``.

    Args:
        mx: domain -> ``[(preference, exchange), ...]``, or a ``Finding`` that is not FOUND.
        addresses: host -> addresses, or a ``Finding`` that is not FOUND.
        records: (name, type) -> texts as ``RecordsAnswer.texts``, or a ``Finding`` that is not FOUND. For MX, A and
            AAAA that are not in it the other tables answer.
        validated: names whose answers of ``records`` are said to be proven by DNSSEC.

    Names in no table do not exist (NO_NAME); names in one have no data of the other kinds.
    ``questions`` holds what was asked, as ``("mx", name)``, ``("addresses", name)`` and ``("TXT", name)``.
    """

    def __init__(
        self,
        mx: Mapping[str, Sequence[tuple[int, str]] | Finding] | None = None,
        addresses: Mapping[str, Sequence[str] | Finding] | None = None,
        records: Mapping[tuple[str, str], Sequence[str] | Finding] | None = None,
        validated: Sequence[str] = (),
    ) -> None:
        self.mx_table = dict(mx or {})
        self.address_table = dict(addresses or {})
        self.record_table = dict(records or {})
        self.validated = set(validated)
        self.questions: list[tuple[str, str]] = []

    async def mx(self, domain: str) -> MxAnswer:
        """Answer from the table."""
        self.questions.append(("mx", domain))
        entry = self.mx_table.get(domain)
        if entry is None:
            return MxAnswer(finding=self._nothing(domain), ttl=60.0, detail="from the table")
        if isinstance(entry, Finding):
            return MxAnswer(finding=entry, detail="from the table")
        hosts = tuple(sorted(MxHost(preference, exchange) for preference, exchange in entry))
        return MxAnswer(finding=Finding.FOUND, hosts=hosts, ttl=60.0)

    async def addresses(self, host: str) -> AddressAnswer:
        """Answer from the table."""
        self.questions.append(("addresses", host))
        entry = self.address_table.get(host)
        if entry is None:
            return AddressAnswer(finding=self._nothing(host), ttl=60.0, detail="from the table")
        if isinstance(entry, Finding):
            return AddressAnswer(finding=entry, detail="from the table")
        return AddressAnswer(finding=Finding.FOUND, addresses=tuple(entry), ttl=60.0)

    async def records(self, name: str, kind: str) -> RecordsAnswer:
        """Answer from the tables."""
        self.questions.append((kind, name))
        entry = self.record_table.get((name, kind))
        if entry is None:
            entry = self._other_table(name, kind)
        validated = name in self.validated
        if entry is None:
            return RecordsAnswer(finding=self._nothing(name), ttl=60.0, detail="from the table", validated=validated)
        if isinstance(entry, Finding):
            return RecordsAnswer(finding=entry, detail="from the table")
        return RecordsAnswer(finding=Finding.FOUND, texts=tuple(entry), ttl=60.0, validated=validated)

    def close(self) -> None:
        """Nothing to give back."""

    def _other_table(self, name: str, kind: str) -> Sequence[str] | Finding | None:
        if kind == "MX":
            hosts = self.mx_table.get(name)
            if hosts is None or isinstance(hosts, Finding):
                return hosts
            return [f"{preference} {exchange}." for preference, exchange in hosts]
        if kind in {"A", "AAAA"}:
            found = self.address_table.get(name)
            if found is None or isinstance(found, Finding):
                return found
            return [each for each in found if (":" in each) == (kind == "AAAA")] or None
        return None

    def _nothing(self, name: str) -> Finding:
        is_known = (
            name in self.mx_table or name in self.address_table or any(known == name for known, _ in self.record_table)
        )
        return Finding.NO_DATA if is_known else Finding.NO_NAME
