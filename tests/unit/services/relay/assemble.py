"""Puts a courier together for the tests, as ``posthouse.app`` does for a worker."""

from dataclasses import dataclass

from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.relay.connect import Connector, ConnectorParts
from posthouse.services.relay.connection import ConnectionParts
from posthouse.services.relay.courier import Courier, CourierParts
from posthouse.services.relay.dial import Dialer, opportunistic_context
from posthouse.services.relay.hosts import Self
from posthouse.services.relay.notices import NoticeWriter, PlansNotices
from posthouse.services.relay.record import Recorder
from posthouse.services.relay.routes import TlsPolicies
from posthouse.services.resolver.contract import Resolver
from posthouse.store.contract import Store
from posthouse.telemetry.log import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParts:
    """What a worker gives its courier."""

    store: Store
    settings: Settings
    clock: Clock
    telemetry: Telemetry
    resolver: Resolver
    planner: PlansNotices
    queue_ids: QueueIds
    own: Self
    lease_owner: str


def build_courier(parts: RelayParts) -> Courier:
    """Return a courier that has not been started."""
    telemetry = parts.telemetry

    def on_error(error: BaseException) -> None:
        telemetry.event("relay.internal_error", level="error", error=repr(error))

    connection_parts = ConnectionParts(
        store=parts.store, clock=parts.clock, hello_name=parts.own.hostname, on_error=on_error
    )
    notices = NoticeWriter(parts.store, parts.planner, parts.queue_ids, parts.clock, hostname=parts.own.hostname)
    policies = TlsPolicies(parts.store, parts.settings)
    connector = Connector(
        ConnectorParts(
            resolver=parts.resolver,
            policies=policies,
            settings=parts.settings,
            clock=parts.clock,
            telemetry=telemetry,
            own=parts.own,
            dial=Dialer(connection_parts, parts.settings, opportunistic_context()).dial,
        )
    )
    return Courier(
        CourierParts(
            store=parts.store,
            settings=parts.settings,
            clock=parts.clock,
            telemetry=telemetry,
            recorder=Recorder(parts.store, notices, parts.settings, parts.clock, telemetry),
            connect=connector.connect,
            forget_routes=policies.forget,
            forget_dead=connector.forget_dead,
            lease_owner=parts.lease_owner,
        )
    )
