"""Every metric there is: its kind, its labels and what it means. Names are ``posthouse_<thing>_<unit>``.

Counters end in ``_total``. ``merge`` says what becomes of the values of several workers: ``sum``, or ``last`` where
each of them sees the same whole (the queue, the build). Tests: ``tests/unit/telemetry/test_metrics.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The declaration of one metric.

    Attributes:
        kind: ``counter``, ``gauge`` or ``histogram``.
        explanation: a sentence for whoever reads ``/metrics``.
        labels: names of its labels, in order.
        bounds: upper bounds of a histogram's buckets, rising, without infinity.
        merge: ``sum`` or ``last``.
    """

    kind: str
    explanation: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    merge: str = "sum"


MEASURES: Final[dict[str, Measure]] = {
    # ---- sessions
    "posthouse_sessions_opened_total": Measure(
        kind="counter", explanation="Connections accepted.", labels=("protocol", "listener")
    ),
    "posthouse_sessions_refused_total": Measure(
        kind="counter",
        explanation="Connections refused because of a limit, by the limit.",
        labels=("listener", "reason"),
    ),
    "posthouse_sessions_open": Measure(
        kind="gauge", explanation="Connections open now.", labels=("protocol", "listener")
    ),
    "posthouse_session_octets_total": Measure(
        kind="counter",
        explanation="Octets inside sessions, without TLS; direction is in or out.",
        labels=("protocol", "direction"),
    ),
    "posthouse_sign_ins_total": Measure(
        kind="counter", explanation="Sign-ins, by result: ok or failed.", labels=("protocol", "result")
    ),
    # ---- mail
    "posthouse_messages_accepted_total": Measure(kind="counter", explanation="Messages accepted and committed."),
    "posthouse_messages_accepted_octets_total": Measure(kind="counter", explanation="Octets of accepted messages."),
    "posthouse_messages_filed_total": Measure(
        kind="counter", explanation="Copies of accepted messages filed in local mailboxes."
    ),
    "posthouse_messages_queued_recipients_total": Measure(
        kind="counter", explanation="Remote recipients of accepted messages put into the queue."
    ),
    "posthouse_messages_refused_total": Measure(
        kind="counter",
        explanation="Senders, recipients and messages refused, by class of the reply: 4 or 5.",
        labels=("class",),
    ),
    "posthouse_messages_failed_total": Measure(
        kind="counter", explanation="Messages not taken because of an error of ours; the peers try again."
    ),
    "posthouse_message_acceptance_seconds": Measure(
        kind="histogram", explanation="From the end of the data to the reply.", bounds=SECONDS
    ),
    "posthouse_relay_attempts_total": Measure(
        kind="counter",
        explanation="Attempts at remote recipients, by result: sent, deferred or failed.",
        labels=("result",),
    ),
    "posthouse_queue_recipients": Measure(
        kind="gauge", explanation="Recipients in the queue, by state: waiting or held.", labels=("state",), merge="last"
    ),
    "posthouse_queue_oldest_seconds": Measure(
        kind="gauge", explanation="Age of the oldest message in the queue.", merge="last"
    ),
    # ---- the store and the log
    "posthouse_store_commit_seconds": Measure(
        kind="histogram", explanation="From the start of a group commit to stable storage.", bounds=SECONDS
    ),
    "posthouse_store_committed_calls_total": Measure(
        kind="counter", explanation="Changes that were committed; divided by commits it is the size of a group."
    ),
    "posthouse_log_events_total": Measure(
        kind="counter", explanation="Events of levels warning and error.", labels=("level",)
    ),
    "posthouse_log_dropped_lines_total": Measure(
        kind="counter", explanation="Log lines that could not be written, and are lost."
    ),
    # ---- the processes
    "posthouse_process_resident_octets": Measure(
        kind="gauge", explanation="Memory of a worker that is in use.", labels=("worker",)
    ),
    "posthouse_process_open_files": Measure(
        kind="gauge", explanation="File descriptors that a worker holds.", labels=("worker",)
    ),
    "posthouse_process_cpu_seconds_total": Measure(
        kind="counter", explanation="Processor time of a worker, user and system.", labels=("worker",)
    ),
    "posthouse_process_start_seconds": Measure(
        kind="gauge", explanation="When a worker started, in seconds since 1970.", labels=("worker",)
    ),
    "posthouse_workers": Measure(kind="gauge", explanation="Workers that answered.", merge="last"),
    "posthouse_workers_silent": Measure(
        kind="gauge", explanation="Workers whose control socket is there and who did not answer in time.", merge="last"
    ),
    "posthouse_build_info": Measure(
        kind="gauge", explanation="Always 1; the version is a label.", labels=("version", "python"), merge="last"
    ),
}
