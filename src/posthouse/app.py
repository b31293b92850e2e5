"""The composition root: the only place that constructs everything and knows every room.

``Composition`` wires the services and doors of one worker; ``worker`` gives it a process to live in. What commands need
is in ``toolbox``. Nothing here decides anything about mail. Tests: ``tests/unit/test_app.py``, ``tests/interop``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from posthouse.config.definitions import dns as dns_settings
from posthouse.config.definitions import log as log_settings
from posthouse.config.definitions.auth import OAUTH
from posthouse.config.file import Configuration
from posthouse.config.settings import Settings
from posthouse.core.errors import SyntaxFault
from posthouse.servers.door import Door, DoorContext, ListenerInfo
from posthouse.servers.imap.conversation import imap_services
from posthouse.servers.imap.door import ImapDoor
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.pop3.door import Pop3Door
from posthouse.servers.smtp.door import SmtpDoor, make_services
from posthouse.servers.sweep import Sweep
from posthouse.servers.tls import TlsContexts
from posthouse.services.administration.messages.daily import LogSummary
from posthouse.services.administration.messages.duties import DutyParts, LetterDuties
from posthouse.services.administration.messages.occasions import greet
from posthouse.services.administration.messages.post import PART as SERVER_MAIL
from posthouse.services.administration.messages.post import MailParts, ServerMail
from posthouse.services.administration.messages.reports import ReportWords
from posthouse.services.administration.messages.warner import QuotaLetters
from posthouse.services.administration.newcomers import AccountsForNewcomers
from posthouse.services.delivery.notice import NoticePlanner
from posthouse.services.delivery.report import Reporter
from posthouse.services.delivery.service import DeliveryParts, DeliveryService
from posthouse.services.identity import schemes
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.guard import Guard
from posthouse.services.identity.inheritance import load_settings
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sealing import sealing_of
from posthouse.services.identity.second_factor import SecondFactor
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.services.identity.sources.kinds import Parts
from posthouse.services.identity.sources.registry import Sources
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.mailstore.watch import Watch
from posthouse.services.reception.reception import Reception, ReceptionParts
from posthouse.services.relay.connect import Connector, ConnectorParts
from posthouse.services.relay.connection import ConnectionParts
from posthouse.services.relay.courier import Courier, CourierParts
from posthouse.services.relay.dial import Dialer, opportunistic_context
from posthouse.services.relay.hosts import Self
from posthouse.services.relay.notices import NoticeWriter
from posthouse.services.relay.record import Recorder
from posthouse.services.relay.routes import TlsPolicies
from posthouse.services.resolver.dns import DnsResolver, parse_server, read_hosts, read_resolv_conf
from posthouse.services.resolver.exchange import Server
from posthouse.services.routing.router import Router
from posthouse.store.contract import Store
from posthouse.telemetry.log import Telemetry
from posthouse.telemetry.metrics import Metrics
from posthouse.toolbox import SystemClock

if TYPE_CHECKING:
    from posthouse.administering import Administering  # imported where it is made: it loads the API
    from posthouse.servers.http.door import HttpServing
    from posthouse.services.administration.desk import Live
    from posthouse.services.administration.diagnosis.parts import DiagnosisParts

DoorFactory = Callable[[], Door]
LAST_JOBS: Final = 1_000  # looked at for those that are still open


def load_operations() -> None:
    """Import the API and every operation."""
    import posthouse.administering  # noqa: F401  (for its sake alone)
    from posthouse.services.administration.catalogue import all_operations

    for _ in all_operations():
        pass


class Composition:
    """Everything one worker is made of. Construct it on the worker's loop, with the store open.

    Attributes:
        context: what the doors share, for draining and status.
        courier: carries this worker's share of the queue; to be started and stopped.
        settings: in force now; ``load_settings`` renews them.
        authenticator: signs people in.
        sign_in_notes: to be flushed now and then.
        mail: writes messages of the server.
        sources: the sign-in sources; to be forgotten when the directory changes, and closed.
    """

    def __init__(
        self,
        *,
        configuration: Configuration,
        store: Store,
        settings: Settings,
        telemetry: Telemetry,
        number: int,
        workers: int,
        lease_owner: str,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics if metrics is not None else Metrics()
        self._configuration = configuration
        self._telemetry = telemetry
        self._lease_owner = lease_owner
        self._administering: Administering | None = None
        self._loading = asyncio.Lock()
        self._jobs: asyncio.Task[None] | None = None
        self._http: HttpServing | None = None
        self.store = store
        self.settings = settings
        self.clock = SystemClock()
        self.sealing = sealing_of(configuration.home)
        self.tls = self._load_tls()
        self.context = self._context(number, workers)
        self.queue_ids = QueueIds(self.clock, number)
        self.directory = Directory(store, self.clock, settings, hostname=configuration.hostname)
        self.router = Router(self.directory, self.settings)
        self.planner = NoticePlanner(self.router, self.queue_ids, settings, self.clock)
        self.mail = self._server_mail()
        self.report_words = ReportWords(store, self.mail, settings)
        self.resolver = self._resolver()
        self.courier = self._courier(lease_owner)
        self.reception = self._reception()
        self.reception.room.warner = QuotaLetters(store, self.mail, self.clock, telemetry)
        self.sign_in_notes = SignInNotes(store, self.clock)
        self.sources = Sources(
            store.sources,
            settings,
            Parts(clock=self.clock, verify_hash=schemes.verify),
            unseal=self.sealing.open_source,
        )
        self._passwords = Passwords(self.clock, secrets.token_bytes(32))
        self.authenticator = self._authenticator()
        self.imap = imap_services(store, self.clock, settings, self.authenticator, Watch(store.notices))

    def door_factory(self, listener: ListenerInfo) -> DoorFactory:
        """Return what makes the doors of a listener."""
        if listener.protocol in {"smtp", "lmtp"}:
            services = make_services(listener, self.reception, self.authenticator)
            return lambda: SmtpDoor(listener, self.context, services)
        if listener.protocol == "imap":
            return lambda: ImapDoor(listener, self.context, self.imap)
        if listener.protocol == "pop3":
            return lambda: Pop3Door(listener, self.context, self.authenticator, self.store)
        if listener.protocol == "http":
            return self._http_door(listener)
        raise ValueError(f"no door for {listener.protocol}")

    def _http_door(self, listener: ListenerInfo) -> DoorFactory:
        def made() -> Door:
            from posthouse.servers.http.door import HttpDoor, HttpServing  # loaded with the first connection

            if self._http is None:
                self._http = HttpServing(self._serve_http, self.settings, self.clock)
            return HttpDoor(listener, self.context, self._http)

        return made

    async def _serve_http(self, scope: Any, receive: Any, send: Any) -> None:
        await (await self.administering()).application(scope, receive, send)

    async def administering(self) -> Administering:
        """Return the administration of this worker, loaded when first asked for; it runs jobs from then on."""
        async with self._loading:
            if self._administering is None:
                await asyncio.to_thread(load_operations)  # most of a second, in which mail goes on
                made = self._administering = self._make_administering()
                self._jobs = asyncio.create_task(made.run())
        return self._administering

    async def resume_jobs(self) -> None:
        """Go on with jobs that a worker left, where there are any."""
        if any(job.state in {"waiting", "running"} for job in await self.store.jobs(limit=LAST_JOBS)):
            await self.administering()

    async def stop_administering(self, seconds: float) -> None:
        """Let the jobs of this worker stop, where it administers."""
        if self._administering is not None and self._jobs is not None:
            await self._administering.stop(seconds)
            self._jobs.cancel()

    def _make_administering(self) -> Administering:
        from posthouse.administering import Administering, AdministeringParts
        from posthouse.config.home import Home
        from posthouse.servers.live import LiveServer
        from posthouse.services.administration.desk import Desk

        configuration = self._configuration
        live = LiveServer(Home(configuration.home).run)
        desk = Desk(
            store=self.store,
            clock=self.clock,
            settings=self.settings,
            hostname=configuration.hostname,
            home=configuration.home,
            hash_password=self._passwords.hash,
            sealing=self.sealing,
            live=live,
            parts={"diagnosis": lambda: self._diagnosis(live), SERVER_MAIL: lambda: self.mail},
        )
        parts = AdministeringParts(
            desk=desk,
            authenticator=self.authenticator,
            notes=self.sign_in_notes,
            telemetry=self._telemetry,
            context=self.context,
            owner=self._lease_owner,
        )
        return Administering(parts)

    def letter_duties(self) -> LetterDuties:
        """Return what looks for messages that are due."""
        return LetterDuties(
            DutyParts(
                store=self.store,
                mail=self.mail,
                settings=self.settings,
                clock=self.clock,
                telemetry=self._telemetry,
                hostname=self._configuration.hostname,
                owner=self._lease_owner,
                report=LogSummary(self._configuration.home),
            )
        )

    def _server_mail(self) -> ServerMail:
        return ServerMail(
            MailParts(
                store=self.store,
                settings=self.settings,
                clock=self.clock,
                hostname=self._configuration.hostname,
                planner=self.planner,
                queue_ids=self.queue_ids,
            )
        )

    def _diagnosis(self, live: Live) -> DiagnosisParts:
        from posthouse.services.administration.diagnosis.assemble import make_parts

        return make_parts(
            self._configuration,
            self.settings,
            self.clock,
            lambda: live.ask("status"),
            store=self.store,
            sources=self.sources,
        )

    async def load_settings(self) -> list[str]:
        """Read the settings anew; return what could not be used."""
        self.sources.forget()
        problems = await load_settings(self.store, self.settings)
        await self.sources.look()
        return problems

    def _offers_tokens(self) -> bool:
        """Whether mail programs are told that they may sign in with a token."""
        asked = self.settings.get(OAUTH)
        return asked == "yes" or (asked == "auto" and self.sources.knows_tokens)

    def configure_log(self) -> None:
        """Let conversations be logged as the settings say now."""
        protocols = self.settings.get(log_settings.CONVERSATION)
        clients = self.settings.get(log_settings.CONVERSATION_CLIENTS)
        self.context.conversations.configure(protocols, clients)

    def _authenticator(self) -> Authenticator:
        store, settings, clock = self.store, self.settings, self.clock
        return Authenticator(
            self.directory,
            self._passwords,
            store,
            settings,
            clock,
            guard=Guard(store, settings, clock, secrets.token_bytes(32)),
            sources=self.sources,
            second_factor=SecondFactor(store, self.sealing, clock),
            notes=self.sign_in_notes,
            newcomers=AccountsForNewcomers(
                store, settings, clock, self._telemetry, greet=lambda account: greet(self.mail, account, store.commit)
            ),
        )

    def reload_tls(self) -> None:
        """Read the certificate anew. Raises ConfigFault: the old one stays in use."""
        if self.tls is not None:
            self.tls.reload()

    def _load_tls(self) -> TlsContexts | None:
        configuration = self._configuration
        if not configuration.needs_tls:
            return None
        return TlsContexts(
            configuration.in_home(configuration.certificate), configuration.in_home(configuration.key), self.settings
        )

    def _context(self, number: int, workers: int) -> DoorContext:
        return DoorContext(
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            settings=self.settings,
            telemetry=self._telemetry,
            limits=ConnectionLimits(self.settings, workers),
            sweep=Sweep(self.clock),
            tls=self.tls,
            hostname=self._configuration.hostname,
            offers_tokens=self._offers_tokens,
            worker=number,
            metrics=self._metrics,
        )

    def _resolver(self) -> DnsResolver:
        return DnsResolver(
            self._name_servers() or read_resolv_conf(),
            timeout=self.settings.get(dns_settings.TIMEOUT),
            attempts=self.settings.get(dns_settings.ATTEMPTS),
            cache_entries=self.settings.get(dns_settings.CACHE_ENTRIES),
            hosts=read_hosts(),
        )

    def _name_servers(self) -> tuple[Server, ...]:
        """Return the name servers that were set; one that cannot be used is reported, and the rest serve."""
        servers = []
        for text in self.settings.get(dns_settings.SERVERS):
            try:
                servers.append(parse_server(text))
            except SyntaxFault as fault:
                self._telemetry.event("settings.skipped", level="error", problem=f"dns.servers: {fault.detail}")
        return tuple(servers)

    def _courier(self, lease_owner: str) -> Courier:
        hostname = self._configuration.hostname
        policies = TlsPolicies(self.store, self.settings, self.sealing)
        notices = NoticeWriter(
            self.store, self.planner, self.queue_ids, self.clock, hostname=hostname, writer=self.report_words
        )
        connections = ConnectionParts(
            store=self.store,
            clock=self.clock,
            hello_name=hostname,
            on_error=self._on_relay_error,
            telemetry=self._telemetry,
            conversations=self.context.conversations,
        )
        connector = Connector(
            ConnectorParts(
                resolver=self.resolver,
                policies=policies,
                settings=self.settings,
                clock=self.clock,
                telemetry=self._telemetry,
                own=Self(hostname, self._own_addresses()),
                dial=Dialer(connections, self.settings, opportunistic_context()).dial,
            )
        )
        return Courier(
            CourierParts(
                store=self.store,
                settings=self.settings,
                clock=self.clock,
                telemetry=self._telemetry,
                recorder=Recorder(self.store, notices, self.settings, self.clock, self._telemetry),
                connect=connector.connect,
                forget_routes=policies.forget,
                forget_dead=connector.forget_dead,
                lease_owner=lease_owner,
            )
        )

    def _on_relay_error(self, error: BaseException) -> None:
        self._telemetry.event("relay.internal_error", level="error", error=repr(error))

    def _own_addresses(self) -> frozenset[str]:
        """Addresses on which strangers reach us on port 25; an exchanger there is ourselves (RFC 5321 §5.1)."""
        binds = [bind for one in self._configuration.listeners if one.listener_class == "mx" for bind in one.bind]
        return frozenset(bind.host for bind in binds if bind.port == 25)

    def _reception(self) -> Reception:
        hostname = self._configuration.hostname
        delivery = DeliveryService(
            DeliveryParts(
                store=self.store,
                settings=self.settings,
                hand_over=self.courier,
                reporter=Reporter(self.planner, self.clock, hostname, writer=self.report_words),
                telemetry=self._telemetry,
            )
        )
        return Reception(
            ReceptionParts(
                hostname=hostname,
                store=self.store,
                directory=self.directory,
                router=self.router,
                delivery=delivery,
                queue_ids=self.queue_ids,
                settings=self.settings,
                clock=self.clock,
                telemetry=self._telemetry,
            )
        )
