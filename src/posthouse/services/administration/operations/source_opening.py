"""Sign-in sources as operations find and open them. Tests: with ``source`` and ``source_sync``.

``tests/unit/services/administration/operations/test_source_operations.py``.
"""

from __future__ import annotations

from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.operations import reading
from posthouse.services.identity import schemes
from posthouse.services.identity.sources.contract import Source
from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.store.directory_rows import SourceRow


async def row_of(call: Call, text: str) -> SourceRow:
    """Return a source. Raises Refused: where there is none of that name."""
    name = words.short_name(text, "name")
    for row in await call.desk.store.sources():
        if row.name == name:
            return row
    raise reading.missing(f"source {name}", "`posthouse source list` shows those there are.", "name")


def opened_source(desk: Desk, row: SourceRow) -> Source:
    """Return a source, unconnected. Raises Refused: where it cannot be made; Unavailable: its secret is lost."""
    parts = Parts(clock=desk.clock, verify_hash=schemes.verify)
    try:
        return make_source(row.kind, row.name, row.config, desk.sealing.open_source(row), parts)
    except SourceFault as fault:
        raise refused(fault) from None


def refused(fault: SourceFault) -> Refused:
    """Return a source's fault in this room's words; it names the field of the kind."""
    return Refused(fault.detail, fault.remedy, field=fault.field if fault.field in {"name", "kind"} else "config")
