"""Every event that may be logged, with what it means. Names are ``topic.what_happened``; fields are plain values.

Sorted by topic, then name. A name that is used must be here; a test looks through the source.
"""

from __future__ import annotations

EVENTS: dict[str, str] = {
    # ---- account
    "account.purged": "A removed account whose time was over was destroyed with its mail. Fields: account.",
    "account.quota_warning": "A mailbox passed a level of account.quota_warnings. Fields: account, percent, octets, "
    "messages.",
    "account.quota_warning_failed": "The owner of a mailbox could not be warned that it fills. Fields: error.",
    # ---- auth: signing in
    "auth.granted": "A peer signed in. Fields: account, mechanism, peer.",
    "auth.newcomer": "An account was made for somebody whom a sign-in source knows, at his first sign-in.",
    "auth.newcomer_declined": "A sign-in source knows somebody for whom no account could be made.",
    "auth.refused": "A sign-in was refused. Fields: login, mechanism, peer, reason; never the password.",
    # ---- conversation: what peers and we say, where ``log.conversation`` asks for it
    "conversation.imap": "A line of an IMAP conversation. Fields: direction (C: the client, S: the server), text with "
    "secrets masked, octets, peer, port, account.",
    "conversation.lmtp": "A line of an LMTP conversation. Fields as in conversation.imap.",
    "conversation.pop3": "A line of a POP3 conversation. Fields as in conversation.imap.",
    "conversation.relay": "A line of a conversation with another server; we are the client. Fields as in "
    "conversation.imap.",
    "conversation.smtp": "A line of an SMTP conversation. Fields as in conversation.imap.",
    # ---- door: connections of every protocol
    "door.bytes_before_tls": "A peer sent bytes behind its STARTTLS, before the handshake; they were thrown away. "
    "A client that does so is broken, or somebody on the path injects commands. Fields: octets.",
    "door.closed": "A connection ended. Fields: peer, seconds, received, sent, reason.",
    "door.failed": "A session met an error of ours and was closed. Fields: error, trace.",
    "door.idle": "A connection was closed because the peer was silent too long. Fields: seconds.",
    "door.opened": "A connection was accepted. Fields: listener, protocol, peer.",
    "door.refused": "A connection was refused because of a limit. Fields: listener, peer, reason.",
    "door.slow_reader": "A connection was cut because the peer did not read what was sent. Fields: seconds.",
    "door.tls_failed": "A TLS handshake failed. Fields: reason.",
    "door.tls_started": "A connection is encrypted now. Fields: version, cipher.",
    # ---- housekeeping
    "housekeeping.failed": "A round of upkeep of the store failed; the next one tries again. Fields: error.",
    # ---- imap
    "imap.client": "A client said what it is (RFC 2971). Fields: client.",
    "imap.command_failed": "A command met an error of ours and was answered NO; the session went on. "
    "Fields: error, trace.",
    "imap.rejected": "A command was refused before it reached any service. Fields: reason.",
    "imap.seen_not_set": "A body was shown though its Seen flag could not be stored. Fields: error, detail.",
    # ---- job: long operations that were started over the API
    "jobs.not_resumed": "jobs that a worker left could not be looked for; the next request to the API does it.",
    "job.broken": "A job met an error of ours and was given up. Fields: job, id (as the job's result names it), trace.",
    "job.ended": "A job came to its end. Fields: job, operation, state.",
    "job.unwritten": "The end of a job could not be written; another worker takes it up. Fields: error.",
    # ---- letters: messages that the server writes by itself
    "letters.failed": "A look for messages that are due failed; the next one tries again. Fields: error.",
    # ---- log: the log itself
    "log.dropped": "Lines could not be written, such as for a full disk, and are lost. Fields: lines.",
    # ---- message: mail that came in
    "message.failed": "A message could not be taken because of an error of ours; the peer was told to try again. "
    "Fields: queue_id, error, trace.",
    "message.filed": "A message was filed in a mailbox. Fields: queue_id, to, account.",
    "message.received": "A message was accepted, and is on stable storage. Fields: queue_id, from, peer, size, "
    "recipients, to (local ones, up to 100), filed (copies in mailboxes), queued (remote recipients), message_id.",
    "message.refused": "A sender, a recipient or a message was refused. Fields: from, to, peer, helo, code, enhanced, "
    "text, rule, setting, detail.",
    # ---- metrics
    "metrics.failed": "A request of a monitor met an error of ours and was answered 500. Fields: error.",
    # ---- pop3
    "pop3.failed": "A POP3 command met an error of ours; the client was told to try again. Fields: what, error, trace.",
    "pop3.signed_in": "A POP3 session opened an account's inbox. Fields: account, messages.",
    "pop3.updated": "A POP3 session ended with QUIT and its deletions were done. Fields: account, deleted.",
    # ---- queue and relay: the way out
    "queue.bounce_dropped": "A message with the null reverse-path could not be delivered; nobody is told of that. "
    "Fields: queue_id, to.",
    "relay.claim_failed": "The courier could not claim recipients from the store; it tries again. Fields: error.",
    "relay.cut": "The courier stopped and cut transactions that did not end in time; they are repeated. "
    "Fields: transactions.",
    "relay.deferred": "A recipient could not be reached for now. Fields: queue_id, from, to, size, relay, delay, "
    "enhanced, reply.",
    "relay.failed": "A recipient was given up. Fields: queue_id, from, to, size, relay, delay, enhanced, reply.",
    "relay.internal_error": "The courier met an error of ours; the mail concerned waits. Fields: error.",
    "relay.record_failed": "Results of attempts could not be written; they are kept and tried again, or the attempt is "
    "repeated. Fields: error, results, queue_id.",
    "relay.sent": "A recipient's message was taken by the next hop. "
    "Fields: queue_id, from, to, size, relay, delay, enhanced, reply.",
    "relay.tls_failed": "STARTTLS with a next hop failed. Fields: relay, reason, fallback.",
    # ---- report: the summary of a day, mailed
    "report.failed": "The report of a day could not be made or mailed; it is tried again. Fields: day, error.",
    "report.sent": "The report of a day was mailed. Fields: day, to.",
    # ---- rest: the API
    "rest.failed": "A request met an error of ours and was answered 500. Fields: id (as the answer names it), method, "
    "path, trace.",
    # ---- server: the supervisor
    "server.drain_cut_short": "Workers did not end in time and were killed; nothing acknowledged is lost. "
    "Fields: workers.",
    "server.draining": "The server was told to stop and lets sessions end.",
    "server.ready": "Every worker serves. Fields: workers.",
    "server.reloaded": "The server was told to read settings and certificates anew (SIGHUP).",
    "server.replaced": "The server starts its new code while the old workers drain (SIGUSR2).",
    # ---- settings
    "settings.skipped": "A stored setting could not be used and was skipped. Fields: problem.",
    # ---- smtp: the SMTP and LMTP doors
    "smtp.abuse": "An SMTP client did what well-meant clients do not do. Fields: kind, peer.",
    # ---- tls
    "tls.reload_failed": "The certificate could not be read anew; the old one stays in use. Fields: error.",
    # ---- worker
    "worker.ended": "A worker process ended; another takes its place unless the server stops. "
    "Fields: worker, pid, code.",
    "worker.failed": "A worker could not start or met an error of ours. Fields: worker, error.",
    "worker.loop_error": "An error of ours reached the event loop; the worker goes on. Fields: message, error.",
    "worker.orphaned": "The supervisor is gone, so the worker ended.",
    "worker.started": "A worker process was started. Fields: worker, pid.",
}
